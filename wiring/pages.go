package wiring

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/config"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/web"
	"github.com/holdline/holdline/portal/console"
	"github.com/holdline/holdline/portal/front"
	"github.com/holdline/holdline/portal/verify"
)

// front adds a listener's first page, the reference of the API and what browsers are
// shown of problems.
func (p *program) front(r gin.IRouter, server *web.Server, listener string) error {
	links := []front.Link{
		{Name: "API reference", Address: "docs", About: "every route, request and answer"},
		{Name: "OpenAPI document", Address: "openapi.yaml", About: "the same for programs"},
		{Name: "Health", Address: "health/ready", About: "whether this listener is ready"},
		{Name: "Version", Address: "version", About: "the release that runs"},
	}
	base := "/"
	if listener == publicListener {
		links = append([]front.Link{{Name: "Confirm a number", Address: strings.TrimPrefix(verify.Path, "/"), About: "the page for codes"}}, links...)
		if at, err := url.Parse(p.cfg.Public.BaseURL); err == nil {
			base = strings.TrimSuffix(at.EscapedPath(), "/") + "/"
		}
	} else {
		links = append([]front.Link{{Name: "Console", Address: strings.TrimPrefix(console.Path, "/") + "/", About: "for administrators"}}, links...)
		links = append(links, front.Link{Name: "Metrics", Address: "metrics", About: "for Prometheus"})
		if p.phone != nil {
			links = append(links, front.Link{Name: "Phone simulator", Address: "simulator/", About: "the texts that would have been sent"})
		}
	}
	product := p.cfg.Pages.Name
	if product == "" {
		product = p.cfg.SMS.Product
	}
	door, err := front.New(front.Options{Base: base, Product: product, Release: p.release, Links: links})
	if err != nil {
		return err
	}
	door.Mount(r)
	server.ProblemPage = door.Problem
	return nil
}

// pages adds those that people see: the one for codes, and the one behind the
// link of a notice.
func (p *program) pages(r gin.IRouter, server *web.Server) error {
	brand, err := brandOf(p.cfg)
	if err != nil {
		return err
	}
	address, err := url.JoinPath(p.cfg.Public.BaseURL, verify.Path)
	if err != nil {
		return fmt.Errorf("public.base_url: %w", err)
	}
	err = verify.MountDispute(r, disputePath, verify.DisputeOptions{
		Claims: p.counted, Brand: brand, KratosURL: p.browserURL, Now: p.clock.Now, Log: p.log,
		Block: func() time.Duration { return p.settings.Policy().Notices.Block },
	})
	if err != nil {
		return err
	}
	return verify.Mount(r, server, verify.Options{
		Claims: p.counted, Brand: brand, URL: address, KratosURL: p.browserURL, EndOtherSessions: p.realms.EndOthers, Plan: p.plan,
		Code:     verify.CodeForm{Length: p.cfg.OTP.Length, Numeric: p.cfg.OTP.Alphabet == "numeric"},
		Returns:  verify.ReturnURLs{Default: p.cfg.Pages.ReturnURL, Allowed: p.cfg.Pages.AllowedReturnURLs},
		FramedBy: p.framedBy, Log: p.log,
	})
}

// browserURL returns the public API of an identity's Kratos.
func (p *program) browserURL(identityID string) string {
	name, _ := claim.SplitRealm(identityID)
	kratos, _, err := p.cfg.Realm(name)
	if err != nil {
		return p.cfg.Kratos.Browser()
	}
	return kratos.Browser()
}

// everyKratos is the primary realm's and those of the others.
func (p *program) everyKratos() []config.Kratos {
	all := []config.Kratos{p.cfg.Kratos}
	for _, realm := range p.cfg.Realms {
		if kratos, _, err := p.cfg.Realm(realm.Name); err == nil {
			all = append(all, kratos)
		}
	}
	return all
}

func brandOf(cfg config.Config) (verify.Brand, error) {
	pages := cfg.Pages
	brand := verify.Brand{
		Name: pages.Name, Accent: pages.Accent, AccentDark: pages.AccentDark,
		SupportURL: pages.SupportURL, Language: cfg.SMS.DefaultLanguage,
	}
	if brand.Name == "" {
		brand.Name = cfg.SMS.Product
	}
	if pages.Logo == "" {
		return brand, nil
	}
	var err error
	if brand.Logo, err = os.ReadFile(pages.Logo); err != nil {
		return brand, fmt.Errorf("pages.logo: %w", err)
	}
	brand.LogoFile = "logo" + strings.ToLower(filepath.Ext(pages.Logo))
	return brand, nil
}
