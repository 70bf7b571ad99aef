package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/holdline/holdline/config"
)

func TestARealmSharesWhatItDoesNotSay(t *testing.T) {
	cfg := config.Default()
	cfg.Kratos.EmailTrait, cfg.Hooks.APIKey, cfg.Hooks.AddressHeader = "mail", "the-primary-key", "True-Client-Ip"
	cfg.Realms = []config.Realm{{
		Name: "STAFF", PublicURL: "http://127.0.0.1:5433", AdminURL: "http://127.0.0.1:5434",
		HookKey: "the-key-of-the-staff", MobileTrait: "phone",
	}}
	kratos, hooks, err := cfg.Realm("staff")
	if err != nil {
		t.Fatal(err)
	}
	if kratos.MobileTrait != "phone" || kratos.EmailTrait != "mail" || kratos.AdminURL != "http://127.0.0.1:5434" ||
		kratos.Timeout != cfg.Kratos.Timeout || hooks.APIKey.Reveal() != "the-key-of-the-staff" || hooks.AddressHeader != "True-Client-Ip" {
		t.Errorf("got %+v, %+v", kratos, hooks)
	}
	for _, primary := range []string{"", "PRIMARY", "primary"} {
		if kratos, _, err := cfg.Realm(primary); err != nil || kratos != cfg.Kratos {
			t.Errorf("realm %q: %+v, %v", primary, kratos, err)
		}
	}
	if _, _, err := cfg.Realm("OTHER"); err == nil {
		t.Error("a realm that is not there was found")
	}
}

func TestRealmsAreToldApart(t *testing.T) {
	_, err := load(t, "holdline.yml", good+`
realms:
  - {name: PRIMARY, public_url: "http://a", admin_url: "http://a", hook_key: "key-of-realm-a"}
  - {name: STAFF, public_url: "http://b", admin_url: "http://b", hook_key: "key-of-realm-b"}
  - {name: staff, public_url: "http://c", admin_url: "c", hook_key: "key-of-realm-b"}
  - {name: "a/b", public_url: "http://d", admin_url: "http://d", hook_key: short, mobile_trait: "a.b"}
  - {name: OTHER, public_url: "http://e", admin_url: "http://e", hook_key: "key-of-realm-e", previous_hook_key: "key-of-realm-b"}
  - {name: MORE, public_url: "http://f", admin_url: "http://f", hook_key: "key-of-realm-f", previous_hook_key: "short"}
`, nil, nil)
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{
		"realms[0].name: is used twice, or is that of", "realms[2].name: is used twice", "realms[2].admin_url: must be",
		"realms[2].hook_key: must not be another", "realms[3].name: must have", "realms[3].hook_key: has fewer than",
		"realms[3].mobile_trait: must be", "realms[4].previous_hook_key: must not be another", "realms[5].previous_hook_key: has fewer than",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not said in: %v", want, err)
		}
	}
	if strings.Contains(err.Error(), "realms[1]") || strings.Contains(err.Error(), "key-of-realm") {
		t.Errorf("too much is said: %v", err)
	}
}

func TestARealmsKeyComesFromAFileToo(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte("key-in-a-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := load(t, "holdline.yml", good+`
realms:
  - {name: STAFF, public_url: "http://b", admin_url: "http://b", hook_key: "a-newer-key", previous_hook_key_file: "`+file+`"}
`, nil, nil)
	if err != nil || len(cfg.Realms) != 1 || cfg.Realms[0].PreviousKey.Reveal() != "key-in-a-file" {
		t.Errorf("got %+v, %v", cfg.Realms, err)
	}
}
