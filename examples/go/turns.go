//go:build ignore

// Fetches the feeds of a list whose turn it is. Run it each minute: go run turns.go FILE [15m]
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

type headers map[string]string

// send returns the answer to a request, and its body unless that is larger than maxBytes.
func send(method, target string, body []byte, headers headers, maxBytes int64) (*http.Response, []byte, error) {
	request, err := http.NewRequest(method, target, bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	client := http.Client{Timeout: time.Minute}
	response, err := client.Do(request)
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(io.LimitReader(response.Body, maxBytes+1))
	if int64(len(content)) > maxBytes {
		err = errors.New("the content is too large")
	}
	return response, content, err
}

// post asks feedsync. What fails is due again in the next minutes.
func post(path, contentType string, body []byte) []byte {
	api := os.Getenv("API")
	if api == "" {
		api = "http://127.0.0.1:7071"
	}
	given := headers{"Authorization": "Bearer " + os.Getenv("TOKEN"), "Content-Type": contentType}
	response, answer, err := send("POST", api+"/v1"+path, body, given, 1<<30)
	if err != nil {
		log.Fatal(err)
	} else if response.StatusCode >= 300 {
		log.Fatalf("%s", answer)
	}
	return answer
}

// fetch returns what came of it, and the content if it may have changed.
func fetch(target string, given headers) (map[string]any, []byte) {
	given["User-Agent"] = "example/1.0 (+https://reader.example/about)"
	response, content, err := send("GET", target, nil, given, 10_000_000)
	if err == nil && response.StatusCode == 200 && len(content) == 0 {
		err = errors.New("the content is empty")
	}
	if err != nil {
		return map[string]any{"url": target, "error": err.Error()}, nil
	}
	received := headers{}
	for name := range response.Header {
		received[name] = response.Header.Get(name)
	}
	if response.StatusCode != 200 {
		content = nil
	}
	return map[string]any{"url": target, "status": response.StatusCode, "headers": received}, content
}

func main() {
	list, err := os.ReadFile(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	urls, every := strings.Fields(string(list)), append(os.Args, "15m")[2]
	ask, _ := json.Marshal(map[string]any{"urls": urls, "every": every, "limit": 50})
	var turns []struct {
		URL     string
		Due     bool
		Headers headers
	}
	if err := json.Unmarshal(post("/due", "application/json", ask), &turns); err != nil {
		log.Fatal(err)
	}
	for _, turn := range turns {
		if turn.Due {
			outcome, content := fetch(turn.URL, turn.Headers)
			if content != nil {
				path := "/updates?ifChanged=true&url=" + url.QueryEscape(turn.URL)
				post(path, "application/octet-stream", content)
			}
			report, _ := json.Marshal(outcome)
			post("/checked", "application/json", report)
		}
	}
}
