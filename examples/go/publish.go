//go:build ignore

// Publishes a feed: go run publish.go URL < feed.xml
package main

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"os"
	"time"
)

func main() {
	content, err := io.ReadAll(os.Stdin)
	if err != nil {
		log.Fatal(err)
	}
	api := os.Getenv("API")
	if api == "" {
		api = "http://127.0.0.1:7071"
	}
	target := api + "/v1/updates?ifChanged=true&url=" + url.QueryEscape(os.Args[1])
	key := fmt.Sprint(os.Getpid(), time.Now().UnixNano()) // Published once, however often it is sent.
	for client := (http.Client{Timeout: time.Minute}); ; time.Sleep(time.Second) {
		request, err := http.NewRequest("POST", target, bytes.NewReader(content))
		if err != nil {
			log.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+os.Getenv("TOKEN"))
		request.Header.Set("Content-Type", "application/octet-stream")
		request.Header.Set("Idempotency-Key", key)
		response, err := client.Do(request)
		if err != nil {
			continue // feedsync is being restarted.
		}
		answer, err := io.ReadAll(response.Body)
		switch response.StatusCode {
		case 200, 201, 202: // 202 is a success, too.
			if err == nil {
				fmt.Printf("%s\n", answer)
				return
			}
		case 429, 503: // feedsync is busy.
		default:
			log.Fatalf("%s", answer)
		}
	}
}
