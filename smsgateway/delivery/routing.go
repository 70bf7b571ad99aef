package delivery

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/phone"
)

// Routing says which routes a text may take, by their ids and in order of
// preference. The zero value lets every text take every route.
type Routing struct {
	// Default is for numbers that ByCode does not name; all routes but those of
	// Webhook, in their order, if empty.
	Default []string
	// ByCode is for numbers in the form of ITU-T E.164, by their first digits: a
	// calling code such as 44, or more of the number. The longest match decides.
	ByCode map[string][]string
	// Webhook is for texts of [message.ChannelWebhook].
	Webhook []string
}

// routeTable is a [Routing] with its senders in place.
type routeTable struct {
	usual, webhook []*sender
	byCode         map[string][]*sender
	longest        int // of the keys of byCode
}

// Order returns the ids of the gateways that a text to a number is given to, the
// first one first. All are those of the configuration.
func (r Routing) Order(number phone.Number, all []string) ([]string, error) {
	senders := make([]*sender, len(all))
	for i, id := range all {
		senders[i] = &sender{Route: Route{ID: id}}
	}
	t, err := newRouteTable(r, senders)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, s := range t.senders(message.Text{To: number}) {
		ids = append(ids, s.ID)
	}
	return ids, nil
}

// newRouteTable resolves the ids, and reports every fault.
func newRouteTable(r Routing, senders []*sender) (routeTable, error) {
	var faults []error
	resolve := func(where string, ids []string) []*sender {
		var resolved []*sender
		for _, id := range ids {
			i := slices.IndexFunc(senders, func(s *sender) bool { return s.ID == id })
			if i < 0 {
				faults = append(faults, fmt.Errorf("%s: no gateway is called %q", where, id))
				continue
			}
			resolved = append(resolved, senders[i])
		}
		return resolved
	}
	t := routeTable{usual: resolve("default", r.Default), webhook: resolve("webhook", r.Webhook), byCode: map[string][]*sender{}}
	if len(r.Default) == 0 {
		t.usual = slices.DeleteFunc(slices.Clone(senders), func(s *sender) bool { return slices.Contains(t.webhook, s) })
	}
	for code, ids := range r.ByCode {
		where := fmt.Sprintf("calling code %q", code)
		if code == "" || strings.Trim(code, "0123456789") != "" {
			faults = append(faults, fmt.Errorf("%s: must be digits alone", where))
		}
		if len(ids) == 0 {
			faults = append(faults, fmt.Errorf("%s: names no gateway", where))
		}
		t.byCode[code] = resolve(where, ids)
		t.longest = max(t.longest, len(code))
	}
	return t, errors.Join(faults...)
}

// senders returns where a text may go.
func (t routeTable) senders(text message.Text) []*sender {
	if text.Channel == message.ChannelWebhook {
		return t.webhook
	}
	digits, international := strings.CutPrefix(text.To.Key(), "+")
	if !international {
		return t.usual
	}
	for n := min(len(digits), t.longest); n > 0; n-- {
		if senders, named := t.byCode[digits[:n]]; named {
			return senders
		}
	}
	return t.usual
}
