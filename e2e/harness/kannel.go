package harness

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
)

// Kannel is a running Kannel: bearerbox, which talks to message centres, smsbox,
// which takes texts over HTTP, and fakesmsc, a message centre that prints what
// it gets. Its ports bind all addresses: see [InNamespace].
type Kannel struct {
	// SendURL is smsbox' sendsms.
	SendURL, User, Password string

	config string
	smsbox *Process
	boxes  *Output
	centre *Output
}

// fakesmsc is where Debian's kannel-extras has it.
const fakesmsc = "/usr/lib/kannel/test/fakesmsc"

const kannelConfig = `group = core
admin-port = %[1]d
admin-password = of-no-importance
smsbox-port = %[2]d
box-allow-ip = 127.0.0.1

group = smsc
smsc = fake
smsc-id = fake
port = %[3]d
connect-allow-ip = 127.0.0.1

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = %[4]d

group = sendsms-user
username = %[5]s
password = %[6]s
concatenation = true
max-messages = 3
`

// NewKannel starts a Kannel.
func NewKannel(t testing.TB) *Kannel {
	t.Helper()
	first := freePorts(4)
	k := &Kannel{
		SendURL: fmt.Sprintf("http://127.0.0.1:%d/cgi-bin/sendsms", first+3),
		User:    "holdline", Password: "kannel-password-of-no-importance",
		config: filepath.Join(t.TempDir(), "kannel.conf"), boxes: new(Output), centre: new(Output),
	}
	text := fmt.Sprintf(kannelConfig, first, first+1, first+2, first+3, k.User, k.Password)
	if err := os.WriteFile(k.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("Kannel printed at last:\n%s\n%s", tail(k.boxes.String(), 30), tail(k.centre.String(), 10))
		}
	})
	status := fmt.Sprintf("http://127.0.0.1:%d/status.txt", first)
	k.run(t, k.boxes, "bearerbox", "-v", "1", k.config)
	k.await(t, status, "Status: running")
	k.run(t, k.centre, fakesmsc, "-H", "127.0.0.1", "-r", fmt.Sprint(first+2), "-m", "0", "1 2 text none of these is sent")
	k.await(t, status, "fake[fake]", "(online")
	k.Take(t)
	return k
}

// Take starts smsbox, which takes texts.
func (k *Kannel) Take(t testing.TB) {
	t.Helper()
	k.smsbox = k.run(t, k.boxes, "smsbox", "-v", "1", k.config)
	Eventually(t, "smsbox listens", func() error {
		connection, err := net.Dial("tcp", strings.Split(k.SendURL, "/")[2])
		if err == nil {
			err = connection.Close()
		}
		return err
	})
}

// StopTaking ends smsbox; [Kannel.Take] starts it again.
func (k *Kannel) StopTaking() { k.smsbox.Kill() }

// ReceiptSecret is what Kannel proves its receipts with.
const ReceiptSecret = "e2e-receipt-secret-0123456789"

// Gateway is Kannel as an entry of sms.gateways.
func (k *Kannel) Gateway(id string) Overlay {
	return Overlay{
		"id": id, "type": "kannel", "endpoint": k.SendURL, "username": k.User, "password": k.Password,
		"from": "12345", "receipt_secret": ReceiptSecret,
	}
}

func (k *Kannel) run(t testing.TB, out *Output, name string, args ...string) *Process {
	t.Helper()
	process, err := startProcess(name, out, exec.Command(name, args...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(process.Kill)
	return process
}

// await waits until bearerbox' status has all the words.
func (k *Kannel) await(t testing.TB, status string, words ...string) {
	t.Helper()
	Eventually(t, "Kannel is ready", func() error {
		answer, err := TrySend(http.MethodGet, status, "")
		for _, word := range words {
			if err == nil && !strings.Contains(answer.Body, word) {
				err = fmt.Errorf("no %q in %s", word, answer.Body)
			}
		}
		return err
	})
}

// fakesmsc prints a text as "sender receiver text words" or, with its octets
// escaped as in a URL, "sender receiver ucs-2 octets"; its protocol has one
// line for each line of a text.
var (
	centreLine = regexp.MustCompile(`(?m)Got message \d+: <(.*)>$`)
	centreText = regexp.MustCompile(`^\S+ (\S+) (text|ucs-2) (.*)$`)
)

// CentreText is what arrived at the message centre.
type CentreText struct {
	To, Body string
	// UCS2 tells that it did not come in the GSM alphabet.
	UCS2 bool
}

// Code is the code in the text's last line.
func (c CentreText) Code() string { return shownCode(c.Body) }

// Texts returns what arrived so far for a number.
func (k *Kannel) Texts(t testing.TB, to string) []CentreText {
	t.Helper()
	return slices.DeleteFunc(k.all(t), func(text CentreText) bool { return text.To != to })
}

func (k *Kannel) all(t testing.TB) []CentreText {
	t.Helper()
	var texts []CentreText
	for _, line := range centreLine.FindAllStringSubmatch(k.centre.String(), -1) {
		parts := centreText.FindStringSubmatch(line[1])
		switch {
		case parts == nil && len(texts) == 0:
			t.Fatalf("the message centre got %q", line[1])
		case parts == nil:
			texts[len(texts)-1].Body += "\n" + line[1]
		case parts[2] == "ucs-2":
			texts = append(texts, CentreText{To: parts[1], Body: readUCS2(t, parts[3]), UCS2: true})
		default:
			texts = append(texts, CentreText{To: parts[1], Body: parts[3]})
		}
	}
	return texts
}

func readUCS2(t testing.TB, escaped string) string {
	t.Helper()
	octets, err := url.QueryUnescape(escaped)
	if err != nil || len(octets)%2 != 0 {
		t.Fatalf("no UCS-2: %q: %v", escaped, err)
	}
	units := make([]uint16, len(octets)/2)
	for i := range units {
		units[i] = binary.BigEndian.Uint16([]byte(octets[2*i:]))
	}
	return string(utf16.Decode(units))
}
