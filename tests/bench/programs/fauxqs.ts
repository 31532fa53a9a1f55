/** An S3 server for want of a real one; prints its endpoint. */
import { startFauxqs } from "fauxqs";

const { port } = await startFauxqs({ port: 0, host: "127.0.0.1", logger: false });
console.log(`http://127.0.0.1:${port}`);
