package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/holdline/holdline/bench/double"
)

const (
	// fewUsers is what the index of -scim-users is compared with.
	fewUsers = 1000
	// scimPage is how many users a page has.
	scimPage = 100
	// warmUps is how many rounds run before those that are measured.
	warmUps = 10
)

// scimAsk is a request that is measured.
type scimAsk struct {
	name   string
	target float64 // what the ratio may be
	make   func(s *scimSite) (method, path, body string)
	total  func(s *scimSite) int // totalResults of the answer; nil if it is no list
}

func one(*scimSite) int                { return 1 }
func everybody(s *scimSite) int        { return s.n }
func usersURL(query url.Values) string { return "/scim2/Users?" + query.Encode() }

// ninety is the startIndex of the page after nine tenths of all users.
func ninety(n int) int { return n/10*9 + 1 }

// scimAsks are what is measured, in this order: what writes comes last.
func scimAsks() []scimAsk {
	filter := func(form string) func(s *scimSite) (string, string, string) {
		return func(s *scimSite) (string, string, string) {
			i := s.next()
			text := strings.NewReplacer("USERNAME", double.Username(i), "EXTERNAL", double.ExternalID(i)).Replace(form)
			return http.MethodGet, usersURL(url.Values{"filter": {text}}), ""
		}
	}
	page := func(start func(s *scimSite) int) func(s *scimSite) (string, string, string) {
		return func(s *scimSite) (string, string, string) {
			return http.MethodGet, usersURL(url.Values{"startIndex": {fmt.Sprint(start(s))}, "count": {fmt.Sprint(scimPage)}}), ""
		}
	}
	return []scimAsk{
		{`userName eq "..."`, 1.5, filter(`userName eq "USERNAME"`), one},
		{`externalId eq "..."`, 1.5, filter(`externalId eq "EXTERNAL"`), one},
		{`userName eq "..." and externalId eq "..."`, 1.5, filter(`userName eq "USERNAME" and externalId eq "EXTERNAL"`), one},
		{`userName eq "..." and active eq true`, 1.5, filter(`userName eq "USERNAME" and active eq true`), one},
		{"page 1", 1.5, page(func(*scimSite) int { return 1 }), everybody},
		{"page at 90 %", 3, page(func(s *scimSite) int { return ninety(s.n) }), everybody},
		{"PATCH displayName", 1.5, func(s *scimSite) (string, string, string) {
			i := s.next()
			return http.MethodPatch, "/scim2/Users/" + double.MemberID(i), fmt.Sprintf(
				`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","path":"displayName","value":"Changed %d"}]}`, s.step)
		}, nil},
	}
}

// scimResult is what the comparison of a small and a large index came to.
type scimResult struct {
	n          [2]int
	rounds     int
	loaded     time.Duration // of the large index
	pool, data int           // MariaDB's buffer pool, and what the large index has, MiB
	lines      []scimLine
	others     float64
}

// scimLine is one request's times, in ms, of both sites.
type scimLine struct {
	ask  scimAsk
	took [2]spread
}

func (l scimLine) ratio() float64 { return l.took[1].median / l.took[0].median }

// fault is none: wrong answers end the run.
func (*scimResult) fault() error { return nil }

// measureScim measures the same requests against an index of few users and one of
// many.
func measureScim(ctx context.Context, b *bench) (_ section, err error) {
	r := &scimResult{n: [2]int{fewUsers, b.scimUsers}, rounds: b.scimRounds}
	var sites [2]*scimSite
	defer func() {
		for _, site := range sites {
			if site != nil {
				err = errors.Join(err, site.stop())
			}
		}
	}()
	for i, name := range []string{"few", "many"} {
		b.say("SCIM: loading %d users", r.n[i])
		began := time.Now()
		if sites[i], err = startScimSite(ctx, b, name, r.n[i]); err != nil {
			return nil, err
		}
		r.loaded = time.Since(began)
	}
	if r.pool, r.data, err = b.server.room(ctx, sites[1].database); err != nil {
		return nil, err
	}
	programs := []*program{sites[0].holdline.program, sites[1].holdline.program}
	from, err := usageOf(ctx, b.server, programs)
	if err != nil {
		return nil, err
	}
	for _, ask := range scimAsks() {
		line, err := askInTurns(ctx, ask, sites, b.scimRounds)
		if err != nil {
			return nil, err
		}
		r.lines = append(r.lines, line)
	}
	r.others, err = othersSince(ctx, b.server, programs, from)
	return r, errors.Join(err, sites[0].check(ctx, b.server), sites[1].check(ctx, b.server))
}

// askInTurns makes a request to both sites in turns. Which comes first changes
// from round to round, so that what drifts falls on both.
func askInTurns(ctx context.Context, ask scimAsk, sites [2]*scimSite, rounds int) (scimLine, error) {
	var took [2][]float64
	client := &http.Client{Timeout: patience}
	defer client.CloseIdleConnections()
	for round := range warmUps + rounds {
		for turn := range 2 {
			which := (turn + round) % 2
			d, err := sites[which].ask(ctx, client, ask)
			if err != nil {
				return scimLine{}, fmt.Errorf("%s, %d users: %w\n%s", ask.name, sites[which].n, err, sites[which].holdline.lastWords())
			}
			if round >= warmUps {
				took[which] = append(took[which], millis(d))
			}
		}
	}
	line := scimLine{ask: ask}
	for which, all := range took {
		sorted := slices.Sorted(slices.Values(all))
		line.took[which] = spread{quantile(sorted, 0.5), quantile(sorted, 0.05), quantile(sorted, 0.95)}
	}
	return line, nil
}

// ask makes a request and returns what it took until the answer was read. The
// answer must be right.
func (s *scimSite) ask(ctx context.Context, client *http.Client, ask scimAsk) (time.Duration, error) {
	method, path, body := ask.make(s)
	request, err := http.NewRequestWithContext(ctx, method, s.holdline.publicURL+path, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Authorization", "Bearer "+scimToken)
	if body != "" {
		request.Header.Set("Content-Type", "application/scim+json")
	}
	began := time.Now()
	response, err := client.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	said, err := io.ReadAll(response.Body)
	took := time.Since(began)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %d: %s", response.StatusCode, said)
	}
	if err != nil || ask.total == nil {
		return took, err
	}
	var list struct {
		TotalResults int
		Resources    []struct{ ID string }
	}
	err = json.Unmarshal(said, &list)
	if want := ask.total(s); err == nil && (list.TotalResults != want || len(list.Resources) != min(want, scimPage)) {
		err = fmt.Errorf("%d of %d users, want %d", len(list.Resources), list.TotalResults, want)
	}
	return took, err
}
