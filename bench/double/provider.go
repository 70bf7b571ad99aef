package double

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"sync"
	"time"
)

// Provider is an SMS provider. A text counts as arrived when its request does;
// the answer comes after the delay. Texts without a code are notices.
type Provider struct {
	Delay time.Duration

	mu    sync.Mutex
	boxes map[string]*inbox // by number
}

// inbox is where the texts to one number arrive.
type inbox struct {
	texts int
	code  string
	coded chan struct{} // closed by the first text with a code
}

// NewProvider returns a provider that nobody has sent to.
func NewProvider(delay time.Duration) *Provider {
	return &Provider{Delay: delay, boxes: map[string]*inbox{}}
}

// RequestConfig is a gateway's request_config, as in Kratos' courier, for a
// provider that is reached at a URL.
func RequestConfig(url string) map[string]any {
	const body = `function(ctx) { to: ctx.recipient, text: ctx.body, code: std.get(ctx.template_data, 'verification_code', '') }`
	return map[string]any{
		"url": url, "method": http.MethodPost,
		"body": "base64://" + base64.StdEncoding.EncodeToString([]byte(body)),
	}
}

// ServeHTTP takes a text.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in struct{ To, Text, Code string }
	if json.NewDecoder(r.Body).Decode(&in) != nil || in.To == "" || in.Text == "" {
		http.Error(w, "not a text", http.StatusBadRequest)
		return
	}
	p.arrive(in.To, in.Code)
	if p.Delay > 0 {
		late := time.NewTimer(p.Delay)
		defer late.Stop()
		select {
		case <-late.C:
		case <-r.Context().Done():
			return
		}
	}
	answer(w, map[string]string{"id": "text-to-" + in.To})
}

func (p *Provider) arrive(to, code string) {
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
func (p *Provider) box(number string) *inbox {
	box, ok := p.boxes[number]
	if !ok {
		box = &inbox{coded: make(chan struct{})}
		p.boxes[number] = box
	}
	return box
}

// Code waits for the first code to a number.
func (p *Provider) Code(ctx context.Context, number string) (string, error) {
	p.mu.Lock()
	box := p.box(number)
	p.mu.Unlock()
	select {
	case <-box.coded:
		return box.code, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// Texts returns how many texts a number got.
func (p *Provider) Texts(number string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.box(number).texts
}

// Numbers returns how many numbers got texts, or were waited for.
func (p *Provider) Numbers() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.boxes)
}
