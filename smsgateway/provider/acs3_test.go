package provider_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/holdline/holdline/smsgateway/provider"
	"github.com/holdline/holdline/smsgateway/smstest"
)

// The example of Alibaba Cloud's own page on signatures, with fixed parameters.
func TestRequestsAreSignedAsAlibabaPublished(t *testing.T) {
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost,
		"https://ecs.cn-shanghai.aliyuncs.com/?RegionId=cn-shanghai&ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Acs-Action", "RunInstances")
	req.Header.Set("X-Acs-Version", "2014-05-26")
	at := time.Date(2023, 10, 26, 10, 22, 32, 0, time.UTC)
	provider.SignACS3(req, nil, "YourAccessKeyId", "YourAccessKeySecret", at, "3156853299f313e23d1673dc12e1703d")
	const want = "Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
	if got := req.Header.Get("Authorization"); !strings.HasSuffix(got, want) {
		t.Errorf("got %s, want %s", got, want)
	}
}

// Two requests for one text differ in their nonce, for a nonce is taken once.
func TestSignedRequestsDifferInTheirNonce(t *testing.T) {
	seen := map[string]bool{}
	double := smstest.NewServer(t, func(w http.ResponseWriter, r *http.Request) {
		seen[r.Header.Get("X-Acs-Signature-Nonce")] = true
		_, _ = w.Write([]byte(`{"Code":"OK","BizId":"1"}`))
	})
	g := presetGateway(t, "alibaba", double.URL, smstest.Patient)
	for range 2 {
		if _, err := g.Send(t.Context(), smstest.NewMessage()); err != nil {
			t.Fatal(err)
		}
	}
	if len(seen) != 2 || seen[""] {
		t.Errorf("got %d nonces, want 2", len(seen))
	}
}
