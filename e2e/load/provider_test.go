package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"sync"
	"time"
)

// provider stands in for an SMS provider. A text counts as arrived when its request
// does; the answer comes after the delay. Texts without a code are notices.
type provider struct {
	delay time.Duration

	mu    sync.Mutex
	boxes map[string]*inbox // by number
}

// inbox is where the texts to one number arrive.
type inbox struct {
	texts int
	code  string
	coded chan struct{} // closed by the first text with a code
}

// gateway is the entry of sms.gateways for a provider that is reached at a URL.
func gateway(url string) map[string]any {
	const body = `function(ctx) { to: ctx.recipient, text: ctx.body, code: std.get(ctx.template_data, 'verification_code', '') }`
	return map[string]any{"id": "double", "type": "http", "request_config": map[string]any{
		"url": url, "method": http.MethodPost, "body": "base64://" + base64.StdEncoding.EncodeToString([]byte(body)),
	}}
}

// ServeHTTP takes a text.
func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in struct{ To, Text, Code string }
	if json.NewDecoder(r.Body).Decode(&in) != nil || in.To == "" || in.Text == "" {
		http.Error(w, "not a text", http.StatusBadRequest)
		return
	}
	p.arrive(in.To, in.Code)
	if p.delay > 0 && wait(r.Context(), p.delay) != nil {
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte(`{"id":"text-to-` + in.To + `"}`))
}

func (p *provider) arrive(to, code string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	box := p.box(to)
	box.texts++
	if code != "" && box.code == "" {
		box.code = code
		close(box.coded)
	}
}

// box returns a number's inbox. The caller holds the lock.
func (p *provider) box(number string) *inbox {
	box, ok := p.boxes[number]
	if !ok {
		box = &inbox{coded: make(chan struct{})}
		p.boxes[number] = box
	}
	return box
}

// wanted waits for the first code to a number.
func (p *provider) wanted(ctx context.Context, number string) (string, error) {
	p.mu.Lock()
	box := p.box(number)
	p.mu.Unlock()
	patient, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case <-box.coded:
		return box.code, nil
	case <-patient.Done():
		return "", patient.Err()
	}
}

// texts are how many each number got.
func (p *provider) texts() map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := map[string]int{}
	for number, box := range p.boxes {
		all[number] = box.texts
	}
	return all
}
