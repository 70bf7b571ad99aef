package deploy_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
)

// composed is a copy of the example in which init.sh has run.
func composed(t *testing.T, environ ...string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "deploy", "compose")
	if err := os.CopyFS(dir, os.DirFS("compose")); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "secrets")); err != nil { // of whoever tries the example here
		t.Fatal(err)
	}
	initialise(t, dir, environ...)
	return dir
}

func initialise(t *testing.T, dir string, environ ...string) {
	t.Helper()
	init := exec.Command(filepath.Join(dir, "init.sh"))
	init.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOLDLINE=" + program(t, "HOLDLINE_BIN")}, environ...)
	if printed, err := init.CombinedOutput(); err != nil {
		t.Fatalf("init.sh: %v\n%s", err, printed)
	}
}

// project reads compose.yml, with more files laid over it.
func project(t *testing.T, dir string, more ...string) *types.Project {
	t.Helper()
	details := types.ConfigDetails{WorkingDir: dir, Environment: types.Mapping{}}
	for _, name := range append([]string{"compose.yml"}, more...) {
		details.ConfigFiles = append(details.ConfigFiles, types.ConfigFile{Filename: filepath.Join(dir, name)})
	}
	loaded, err := loader.LoadWithContext(t.Context(), details)
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

func TestComposeHasAllThatItNames(t *testing.T) {
	dir := composed(t)
	wantAllNamed(t, project(t, dir))
	wantAllNamed(t, project(t, dir, "mysql.yml"))
}

func wantAllNamed(t *testing.T, p *types.Project) {
	t.Helper()
	for _, secret := range p.Secrets {
		wantFile(t, secret.File)
	}
	for name, service := range p.Services {
		for _, volume := range service.Volumes {
			if volume.Type == types.VolumeTypeBind {
				wantFile(t, volume.Source)
			}
		}
		for _, secret := range service.Secrets {
			if _, ok := p.Secrets[secret.Source]; !ok {
				t.Errorf("%s: there is no secret %s", name, secret.Source)
			}
		}
		for _, port := range service.Ports {
			if port.HostIP != "127.0.0.1" || port.Target == 4434 {
				t.Errorf("%s: port %d is published at %q", name, port.Target, port.HostIP)
			}
		}
	}
}

func wantFile(t *testing.T, name string) {
	t.Helper()
	if info, err := os.Stat(name); err != nil || info.Size() == 0 {
		t.Errorf("%s is missing or empty: %v", name, err)
	}
}

func TestSecretsAreMadeOnce(t *testing.T) {
	dir := composed(t)
	first := os.DirFS(filepath.Join(dir, "secrets"))
	made, err := readAll(first)
	if err != nil {
		t.Fatal(err)
	}
	initialise(t, dir)
	again, err := readAll(first)
	if err != nil || len(again) != len(made) {
		t.Fatalf("%d files became %d: %v", len(made), len(again), err)
	}
	for name, content := range made {
		if again[name] != content {
			t.Errorf("%s was made anew", name)
		}
	}
	other, err := readAll(os.DirFS(filepath.Join(composed(t), "secrets")))
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range other {
		if content == made[name] {
			t.Errorf("%s is not random", name)
		}
	}
	if info, err := os.Stat(filepath.Join(dir, "secrets")); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("others can look into the folder of secrets: %v, %v", info.Mode(), err)
	}
}

// The parts of the example work together: the real Kratos with the files and in
// the order that compose.yml gives it, the real holdline with its configuration,
// and a change of number that is held back.
func TestComposedKratosHoldsANumberBack(t *testing.T) {
	holdlineAdmin, public, admin := freePort(t), freePort(t), freePort(t)
	kratosURL, adminURL := "http://127.0.0.1:"+public, "http://127.0.0.1:"+admin
	dir := composed(t, "HOLDLINE_HOOKS_BASE_URL=http://127.0.0.1:"+holdlineAdmin)
	p := project(t, dir)
	environ := []string{
		"PATH=" + os.Getenv("PATH"), "DSN=sqlite://" + filepath.Join(dir, "kratos.db") + "?_fk=true&lock=false&_txlock=immediate", // docs/kratos.md, L
		"SERVE_PUBLIC_PORT=" + public, "SERVE_PUBLIC_HOST=127.0.0.1", "SERVE_ADMIN_PORT=" + admin, "SERVE_ADMIN_HOST=127.0.0.1",
	}
	kratos := func(service string) *exec.Cmd {
		cmd := exec.Command(program(t, "KRATOS_BIN"), here(p.Services[service])...)
		cmd.Env = environ
		return cmd
	}
	// The schema's address is one of the container.
	config := filepath.Join(dir, "kratos.yml")
	write(t, config, strings.ReplaceAll(read(t, config), "/etc/kratos/", dir+"/"))
	if printed, err := kratos("kratos-migrate").CombinedOutput(); err != nil {
		t.Fatalf("migrate: %v\n%s", err, printed)
	}
	started(t, kratos("kratos"), func(string) bool { return answers(adminURL + "/health/ready") })
	holdline := exec.Command(program(t, "HOLDLINE_BIN"), "serve", "--config", filepath.Join(dir, "holdline.yml"),
		"--public-port=0", "--public-host=127.0.0.1", "--admin-host=127.0.0.1", "--admin-port="+holdlineAdmin,
		"--kratos-public-url="+kratosURL, "--kratos-admin-url="+adminURL,
		"--database-dsn=sqlite://"+filepath.Join(dir, "holdline.db"))
	for name, value := range p.Services["holdline"].Environment {
		if name, isFile := strings.CutPrefix(name, "HOLDLINE_"); isFile && strings.HasSuffix(name, "_FILE") {
			holdline.Env = append(holdline.Env, "HOLDLINE_"+name+"="+strings.ReplaceAll(*value, "/run/secrets/", dir+"/secrets/"))
		}
	}
	started(t, holdline, listening.MatchString)

	const was, wanted = "+4915112345670", "+4915112345671"
	credentials := map[string]any{"password": map[string]any{"config": map[string]any{"password": "correct horse battery"}}}
	traits := func(mobile string) map[string]any {
		return map[string]any{"email": "bob@example.com", "mobile": mobile}
	}
	call(t, http.MethodPost, adminURL+"/admin/identities", "", map[string]any{"schema_id": "person", "traits": traits(was), "credentials": credentials})
	login := call(t, http.MethodGet, kratosURL+"/self-service/login/api", "", nil)
	session := call(t, http.MethodPost, kratosURL+"/self-service/login?flow="+login.ID, "",
		map[string]any{"method": "password", "identifier": "bob@example.com", "password": "correct horse battery"})
	form := call(t, http.MethodGet, kratosURL+"/self-service/settings/api", session.Token, nil)
	saved := call(t, http.MethodPost, kratosURL+"/self-service/settings?flow="+form.ID, session.Token,
		map[string]any{"method": "profile", "traits": traits(wanted)})
	if got := saved.Identity; got.Traits.Mobile != was || got.Metadata["pendingMobileNumber"] != wanted {
		t.Errorf("the form made mobile %q, pending %v; want %q, %q", got.Traits.Mobile, got.Metadata, was, wanted)
	}
}

// here returns a service's command with the container's paths replaced by those
// of the files that are mounted there.
func here(service types.ServiceConfig) []string {
	var paths []string
	for _, volume := range service.Volumes {
		paths = append(paths, volume.Target, volume.Source)
	}
	for _, secret := range service.Secrets {
		paths = append(paths, "/run/secrets/"+secret.Source, filepath.Join(filepath.Dir(service.Volumes[0].Source), "secrets", secret.Source))
	}
	command := slices.Clone(service.Command)
	for i := range command {
		command[i] = strings.NewReplacer(paths...).Replace(command[i])
	}
	return command
}

// answer is what is read of Kratos' answers.
type answer struct {
	ID       string `json:"id"`
	Token    string `json:"session_token"`
	Identity struct {
		Traits   struct{ Mobile string } `json:"traits"`
		Metadata map[string]string       `json:"metadata_public"`
	} `json:"identity"`
}

func call(t *testing.T, method, url, token string, body any) answer {
	t.Helper()
	var content bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&content).Encode(body); err != nil {
			t.Fatal(err)
		}
	}
	request, err := http.NewRequestWithContext(t.Context(), method, url, &content)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json")
	if token != "" {
		request.Header.Set("X-Session-Token", token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var said bytes.Buffer
	if _, err := said.ReadFrom(response.Body); err != nil {
		t.Fatal(err)
	}
	var got answer
	if err := json.Unmarshal(said.Bytes(), &got); err != nil || response.StatusCode >= 300 {
		t.Fatalf("%s %s: %d %s", method, url, response.StatusCode, &said)
	}
	return got
}
