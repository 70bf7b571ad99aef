package smsgateway_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/holdline/holdline/smsgateway/smstest"
)

func TestMessagesPrintNoSecrets(t *testing.T) {
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if got := fmt.Sprintf(verb, smstest.NewMessage()); strings.Contains(got, smstest.Code) || strings.Contains(got, smstest.Number) {
			t.Errorf("%s shows %s", verb, got)
		}
	}
}
