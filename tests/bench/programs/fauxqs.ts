/** An S3 service for want of a real one; prints how to reach it. */
import { fauxqsServer } from "../../servers/fauxqs.ts";

const { endpoint, accessKeyId, secretAccessKey } = await fauxqsServer();
console.log(JSON.stringify({ endpoint, accessKeyId, secretAccessKey }));
