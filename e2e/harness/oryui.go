package harness

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// OryUI is a user interface of Ory's for Kratos, with the patch of deploy/ory-ui.
type OryUI struct {
	URL string
	// Start serves it to the people of a stack.
	Start func(t testing.TB, s *Stack)
}

// Kratos is what a kratos.yml says of the interface.
func (u OryUI) Kratos() Overlay {
	return tree{
		"serve": tree{"public": tree{"cors": tree{"enabled": true, "allow_credentials": true, "allowed_origins": []string{u.URL}}}},
		"selfservice": tree{
			"default_browser_return_url": u.URL + "/",
			"flows": tree{
				"error": tree{"ui_url": u.URL + "/error"}, "login": tree{"ui_url": u.URL + "/login"},
				"settings": tree{"ui_url": u.URL + "/settings"},
			},
		},
	}
}

// patches is where the files are that a site takes over.
const patches = "../deploy/ory-ui"

// NodeUI is Ory's Node reference UI. What npm has of it is below a folder of modules.
func NodeUI(modules string) OryUI {
	port := freePort()
	start := func(t testing.TB, s *Stack) {
		t.Helper()
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(filepath.Join(modules, "@ory", "kratos-selfservice-ui-node"))); err != nil {
			t.Fatal(err)
		}
		patch, err := filepath.Abs(filepath.Join(patches, "node", "settings.patch"))
		if err != nil {
			t.Fatal(err)
		}
		apply := exec.Command("git", "apply", patch)
		apply.Dir = dir
		if printed, err := apply.CombinedOutput(); err != nil {
			t.Fatalf("patch the view: %v: %s", err, printed)
		}
		view := filepath.Join(dir, "views", "settings.hbs")
		content, err := os.ReadFile(view)
		if err == nil {
			err = os.WriteFile(view, []byte(strings.ReplaceAll(string(content), "https://id.example.com", s.Holdline.PublicURL)), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		copyFile(t, filepath.Join(patches, "node", "holdline.js"), filepath.Join(dir, "public", "holdline.js"))
		cmd := exec.Command("node", "lib/index.js")
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "NODE_PATH="+modules, fmt.Sprintf("PORT=%d", port), "KRATOS_PUBLIC_URL="+s.Kratos.PublicURL)
		out := new(Output)
		process, err := startProcess("Ory's Node UI", out, cmd)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(process.Kill)
		Eventually(t, "Ory's Node UI listens", func() error {
			if !process.Running() {
				t.Fatalf("Ory's Node UI ended: %s", tail(out.String(), 10))
			}
			if !strings.Contains(out.String(), "Listening on") {
				return errNotYet
			}
			return nil
		})
	}
	return OryUI{fmt.Sprintf("http://127.0.0.1:%d", port), start}
}

// ElementsUI is a page of Ory Elements (React), built into a folder.
func ElementsUI(t testing.TB, built string) OryUI {
	t.Helper()
	files := http.FileServer(http.Dir(built))
	var site string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/site.js":
			w.Header().Set("Content-Type", "text/javascript")
			_, _ = w.Write([]byte(site))
		case "/main.js", "/main.css":
			files.ServeHTTP(w, r)
		default:
			http.ServeFile(w, r, filepath.Join(built, "index.html"))
		}
	}))
	t.Cleanup(server.Close)
	return OryUI{server.URL, func(t testing.TB, s *Stack) {
		t.Helper()
		site = "const site = " + marshal(t, tree{"kratos": s.Kratos.PublicURL, "holdline": s.Holdline.PublicURL})
	}}
}
