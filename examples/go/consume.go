//go:build ignore

// Receives what the other servers publish, and loses nothing: go run consume.go NAME
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
	"time"
)

// Line is what a consumer is handed: an update, or which updates are lost to this server.
type Line struct {
	Cursor string
	Gap    json.RawMessage
	Update struct {
		Stream, URL string
		Seq         int
		Superseded  bool // A newer one of this feed is known.
	}
}

// call returns the status and the lines of the answer. It waits while feedsync is away or busy.
func call(method, path, body string) (int, []string) {
	api := os.Getenv("API")
	if api == "" {
		api = "http://127.0.0.1:7071"
	}
	client := http.Client{Timeout: time.Minute}
	for wait := time.Second; ; time.Sleep(wait) {
		target := api + "/v1/consumers/" + os.Args[1] + path
		request, err := http.NewRequest(method, target, strings.NewReader(body))
		if err != nil {
			log.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+os.Getenv("TOKEN"))
		request.Header.Set("Content-Type", "application/json")
		response, err := client.Do(request)
		if err != nil {
			continue // It is being restarted.
		}
		answer, _ := io.ReadAll(response.Body)
		response.Body.Close()
		switch response.StatusCode {
		case 200, 201, 404, 410:
			lines := strings.Split(string(answer), "\n")
			return response.StatusCode, lines[:len(lines)-1] // A line that is cut off comes again.
		case 429, 503:
			if after, err := time.ParseDuration(response.Header.Get("Retry-After") + "s"); err == nil {
				wait = after
			}
		default: // 409: another process reads for this consumer.
			log.Fatalf("%s", answer)
		}
	}
}

func main() {
	for {
		status, lines := call("GET", "/updates?wait=25s", "")
		if status == 404 { // The consumer is new, or was forgotten because nobody read.
			call("PUT", "", `{"from":"newest"}`)
		}
		var line Line
		for _, text := range lines { // Put your storage here. After a crash, some come once more.
			line = Line{}
			if err := json.Unmarshal([]byte(text), &line); err != nil {
				log.Fatal(err)
			}
			if line.Gap != nil {
				log.Print(text)
			} else if !line.Update.Superseded {
				fmt.Println(line.Update.Stream, line.Update.Seq, line.Update.URL)
			}
		}
		if len(lines) > 0 { // 410: the state was restored; what follows is read again.
			call("POST", "/ack", fmt.Sprintf(`{"cursor":%q}`, line.Cursor))
		}
	}
}
