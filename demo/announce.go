package demo

import "fmt"

// announce prints where everything is and how to do the same with curl.
func (s stage) announce() {
	s.say("")
	s.say("Ready. Open the demo: it shows an account and a phone beside each other.")
	s.say("Sign in as %s with the password %s, change the number in the settings,", personEmail, s.password)
	s.say("read the code on the phone and type it. Ctrl-C stops everything.")
	s.say("")
	s.say("demo: %s/", local(s.ports.Demo))
	s.say("phone: %s", s.phoneURL())
	s.say("console: %s", s.settings.ConsoleURL())
	s.say("holdline: %s/", s.settings.PublicURL())
	s.say("reference: %s/docs", s.settings.PublicURL())
	s.say("kratos: %s/health/ready", s.settings.KratosPublicURL)
	s.say("The link to the console signs in once; after that the token does: %s", s.settings.ConsoleToken)
	s.say("")
	s.say("The same with curl, after the number was changed: sign in, then send the code (put yours in).")
	for _, line := range s.script() {
		s.say("%s", line)
	}
}

// script returns two lines for a shell.
func (s stage) script() [2]string {
	return [2]string{
		fmt.Sprintf(`TOKEN=$(curl -s -H 'Content-Type: application/json' -d '{"method":"password","identifier":"%s","password":"%s"}' `+
			`"$(curl -s %s/self-service/login/api | sed 's/.*"action":"\([^"]*\)".*/\1/')" | sed 's/.*"session_token":"\([^"]*\)".*/\1/')`,
			personEmail, s.password, s.settings.KratosPublicURL),
		fmt.Sprintf(`CODE=123456; curl -i -H "X-Session-Token: $TOKEN" -H 'Content-Type: application/json' -d "{\"code\":\"$CODE\"}" `+
			`%s/api/identity/user/v1.0/me/validate-code`, s.settings.PublicURL()),
	}
}
