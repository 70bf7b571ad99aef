package harness

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Answer is an HTTP answer, read whole.
type Answer struct {
	Status int
	Header http.Header
	Body   string
}

// JSON reads the body into a value.
func (a Answer) JSON(t testing.TB, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(a.Body), into); err != nil {
		t.Fatalf("%v in answer %d: %s", err, a.Status, a.Body)
	}
}

// Fault is the error body of Holdline's user API.
type Fault struct {
	Code, Message, Description, TraceID string
}

// Fault reads the error body; its code is blank when there is none.
func (a Answer) Fault() Fault {
	var f Fault
	_ = json.Unmarshal([]byte(a.Body), &f)
	return f
}

// newClient returns a client that follows no redirect and asks again where a server is
// away for a moment. A browser's has a jar.
func newClient(jar http.CookieJar) *http.Client {
	client := newHasty()
	client.Jar, client.Timeout, client.Transport = jar, 2*Patience, patient{client.Transport}
	return client
}

// newHasty returns a client that asks once.
func newHasty() *http.Client {
	return &http.Client{
		Timeout:       Patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     &http.Transport{DisableKeepAlives: true}, // the servers are killed in between
	}
}

// patient does as every client of an API should: it repeats what is answered 503 with
// Retry-After when that time is over. Nobody has to say how fast the machine is on which
// Kratos or a database is asked something.
type patient struct{ next http.RoundTripper }

func (p patient) RoundTrip(r *http.Request) (*http.Response, error) {
	for began := time.Now(); ; {
		response, err := p.next.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		pause, busy := comeAgain(response.StatusCode, response.Header)
		if !busy || time.Since(began) > Patience {
			return response, nil
		}
		_ = response.Body.Close()
		select {
		case <-time.After(pause):
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
		r = r.Clone(r.Context())
		if r.GetBody != nil {
			if r.Body, err = r.GetBody(); err != nil {
				return nil, err
			}
		}
	}
}

// comeAgain reports whether an answer asks for the request to be repeated, and when.
func comeAgain(status int, header http.Header) (time.Duration, bool) {
	seconds, err := strconv.Atoi(header.Get("Retry-After"))
	return time.Duration(seconds) * time.Second, status == http.StatusServiceUnavailable && err == nil
}

func newJar(t testing.TB) http.CookieJar {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return jar
}

// Header names and values, in turn.
type Header []string

// JSONBody is the header of a JSON body.
var JSONBody = Header{"Content-Type", "application/json"}

// Patiently makes a call, again while it is answered 503 with Retry-After.
func Patiently(call func() (Answer, error)) (Answer, error) {
	for began := time.Now(); ; {
		answer, err := call()
		pause, busy := comeAgain(answer.Status, answer.Header)
		if err != nil || !busy || time.Since(began) > Patience {
			return answer, err
		}
		time.Sleep(pause)
	}
}

// Send sends a request, again while it is answered 503 with Retry-After, and fails the
// test if it is not answered.
func Send(t testing.TB, method, url, body string, headers ...Header) Answer {
	t.Helper()
	return sendBy(t, newClient(nil), method, url, body, headers...)
}

func sendBy(t testing.TB, client *http.Client, method, url, body string, headers ...Header) Answer {
	t.Helper()
	answer, err := trySend(client, method, url, body, headers...)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	return answer
}

// TrySend sends a request once. It may break off, and be refused for an outage.
func TrySend(method, url, body string, headers ...Header) (Answer, error) {
	return trySend(newHasty(), method, url, body, headers...)
}

func trySend(client *http.Client, method, url, body string, headers ...Header) (Answer, error) {
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return Answer{}, err
	}
	for _, header := range headers {
		for i := 0; i+1 < len(header); i += 2 {
			request.Header.Set(header[i], header[i+1])
		}
	}
	response, err := client.Do(request)
	if err != nil {
		return Answer{}, err
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	return Answer{response.StatusCode, response.Header, string(content)}, err
}

// marshal writes JSON.
func marshal(t testing.TB, value any) string {
	t.Helper()
	var out bytes.Buffer
	if err := json.NewEncoder(&out).Encode(value); err != nil {
		t.Fatal(err)
	}
	return out.String()
}
