package target_test

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing/synctest"
	"time"

	"holobench/wire/phoenix"
)

// pollClient is a client of long polling. poll asks once; run polls on and on, in a goroutine of its own.
type pollClient struct {
	w     *world
	token string
	done  chan struct{} // closed when run ends

	mu       sync.Mutex
	arrived  *sync.Cond // at each poll
	texts    []string
	statuses []int
	ended    int // the status after which run ended
}

const pollPath = "/socket/longpoll?vsn=2.0.0"

// longPoll opens a session.
func (w *world) longPoll() *pollClient {
	w.t.Helper()
	c := &pollClient{w: w, done: make(chan struct{})}
	c.arrived = sync.NewCond(&c.mu)
	status, _ := c.poll()
	if status != http.StatusGone || c.token == "" {
		w.t.Fatalf("a session was opened with %d and the token %q", status, c.token)
	}
	return c
}

// request sends a request and returns status and body.
func (c *pollClient) request(method, contentType, body string) (int, string) {
	c.w.t.Helper()
	address := "http://" + c.w.addr + pollPath
	if c.token != "" {
		address += "&token=" + c.token
	}
	request, err := http.NewRequestWithContext(c.w.t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		c.w.t.Fatal(err)
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	response, err := c.w.client.Do(request)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = response.Body.Close() }()
	read, err := io.ReadAll(response.Body)
	if err != nil {
		c.w.t.Errorf("reading the answer to a %s: %v", method, err)
	}
	return response.StatusCode, string(read)
}

// poll asks once, and returns the status that counts and the messages.
func (c *pollClient) poll() (status int, texts []string) {
	c.w.t.Helper()
	code, body := c.request(http.MethodGet, "", "")
	if code == 0 {
		return 0, nil
	}
	var p phoenix.Poll
	if err := p.Parse([]byte(body)); err != nil || code != http.StatusOK {
		c.w.t.Errorf("a poll was answered %d %s: %v", code, body, err)
		return code, nil
	}
	if p.Status == http.StatusGone {
		c.token = p.Token
	}
	for _, message := range p.Messages {
		texts = append(texts, string(message))
	}
	return p.Status, texts
}

// run polls until the session is gone.
func (c *pollClient) run() *pollClient {
	go func() {
		defer close(c.done)
		for {
			status, texts := c.poll()
			c.mu.Lock()
			c.texts = append(c.texts, texts...)
			c.statuses = append(c.statuses, status)
			c.ended = status
			stop := status != http.StatusOK && status != http.StatusNoContent
			c.arrived.Broadcast()
			c.mu.Unlock()
			if stop {
				return
			}
		}
	}()
	return c
}

// post sends messages, as one or as a batch, and wants them handled.
func (c *pollClient) post(messages ...string) {
	c.w.t.Helper()
	kind := "application/json"
	if len(messages) > 1 {
		kind = phoenix.BatchType
	}
	if code, body := c.request(http.MethodPost, kind, strings.Join(messages, "\n")); code != http.StatusOK || body != `{"status":200}` {
		c.w.t.Errorf("a POST was answered %d %s", code, body)
	}
}

// await waits until a message has come to run.
func (c *pollClient) await(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for at := 0; ; at++ {
		for at == len(c.texts) {
			if c.ended != 0 && c.ended != http.StatusOK && c.ended != http.StatusNoContent {
				c.w.t.Errorf("the session ended with %d, and %s has not come", c.ended, text)
				return
			}
			c.arrived.Wait()
		}
		if c.texts[at] == text {
			return
		}
	}
}

// heardTexts are all that came to run, once everything has settled.
func (c *pollClient) heardTexts() []string {
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.texts...)
}

// elapsed is how long do takes.
func elapsed(do func()) time.Duration {
	begin := time.Now()
	do()
	return time.Since(begin)
}
