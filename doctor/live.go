package doctor

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Live is what was seen of the running servers.
type Live struct {
	Database Database
	Holdline Holdline
	Gateways []Gateway
	Kratos   map[string]Kratos // by the realm's name
}

// Database is what was seen of Holdline's database.
type Database struct {
	Err      error         // why it cannot be used; the rest is not known then
	Outdated bool          // it lacks a migration
	Ahead    time.Duration // of this machine's clock
	Off      bool          // verification is switched off, here or in the configuration
	// OnRequest tells that numbers from SCIM are verified only where a request asks
	// for it, as is set here or in the configuration.
	OnRequest bool
	Server    Server
}

// Server is what a database's server said of itself; empty if there is none.
type Server struct {
	// Name is product and version, such as "MariaDB 10.11.6".
	Name string
	// Least is the oldest version that Holdline is made for, if the server is older.
	Least string
	// Lossy says by which settings what was committed may be gone when the machine fails.
	Lossy []string
	// ReadOnly tells that it takes no writes.
	ReadOnly bool
	// Connections is how many there may be, and Opened how many one Holdline opens.
	Connections, Opened int
	// Idle is after how many seconds it ends connections that Holdline keeps; 0 if it
	// does not.
	Idle int
}

// Holdline is what was seen of the program that serves.
type Holdline struct {
	Admin string // where Kratos is to call it
	// Hooks are the answers to the stage hook with each realm's key, by the realm's
	// name.
	Hooks map[string]HookAnswer
	// Exposed is the address of a hook that answers at the public listener's URL;
	// blank if none does.
	Exposed string
}

// Gateway is what was seen of an SMS gateway without sending anything.
type Gateway struct {
	Key     string
	Err     error // nil if nothing is wrong, as far as can be told
	Refuses bool  // the provider, the credentials; else it cannot be reached
}

// Kratos is what was seen of a realm's Kratos.
type Kratos struct {
	PublicErr, AdminErr error
	Version             string
	AdminOnPublic       bool
	Ahead               *time.Duration // of this machine's clock; nil if not known
	Schemas             map[string]map[string]any
	// HookAddresses are what the names of hooks' hosts resolve to here.
	HookAddresses map[string][]string
	// HookAnswers are the answers at hooks' URLs to calls without a key, for those
	// that are at another server than the printed ones.
	HookAnswers map[string]HookAnswer
}

// HookAnswer is what came of a call of a hook that has no identity in it, so that
// nothing comes of the call.
type HookAnswer struct {
	Err    error // why nobody answers
	Status int
	// Own tells that it is Holdline's answer. Its status is 401 if the key was none
	// that it takes.
	Own bool
}

// Keyless reports whether Holdline asks for a key there.
func (a HookAnswer) Keyless() bool { return a.Own && a.Status == http.StatusUnauthorized }

// Accepts reports whether Kratos would store a new number because of the answer.
func (a HookAnswer) Accepts() bool { return !a.Own && a.Status >= 200 && a.Status < 300 }

// Sentence writes what was answered as a sentence.
func (a HookAnswer) Sentence() string {
	if a.Err != nil {
		return sentence(a.Err)
	}
	return fmt.Sprintf("It answers %d.", a.Status)
}

var (
	databaseAway = Rule{
		"database-unreachable", Failure, NotWorking,
		"The database does not answer.",
		"Every change of a number is refused, and no code is taken.",
		"Look at database.dsn, and at the database.",
	}
	schemaOutdated = Rule{
		"database-schema-outdated", Failure, NotWorking,
		"The database lacks a migration of this release.",
		"`holdline serve` refuses to start.",
		"Run `holdline migrate up`.",
	}
	serverReadOnly = Rule{
		"database-read-only", Failure, NotWorking,
		"The database takes no writes.",
		"It is a replica, or was switched to read-only: every change of a number is refused, and no code is taken.",
		"Let database.dsn name the server that takes writes. With PostgreSQL name all of them, and target_session_attrs=read-write.",
	}
	serverLossy = Rule{
		"database-not-durable", Warning, Weakens,
		"The database may lose what it has committed when its machine fails.",
		"A code that was accepted is not, and one that was used or refused is good again. Texts go out twice.",
		"Change the setting at the server.",
	}
	serverOld = Rule{
		"database-version", Warning, NotWorking,
		"The database's server is older than those that Holdline is made for.",
		"Tests run on newer ones only, and the schema may not fit.",
		"Update the server.",
	}
	serverConnections = Rule{
		"database-connections", Warning, NotWorking,
		"The database's server has fewer connections than the replicas of Holdline may open.",
		"When many people change their numbers at once, some are told to try again.",
		"Raise max_connections at the server: 32 for each replica, those of an update too, and what others need.",
	}
	serverIdle = Rule{
		"database-idle-timeout", Warning, Weakens,
		"The database's server ends idle connections earlier than Holdline does.",
		"Statements meet connections that are gone, and have to be repeated.",
		"Set wait_timeout (MySQL, MariaDB) or idle_session_timeout (PostgreSQL) to more than 300 seconds.",
	}
	verificationOff = Rule{
		"verification-off", Failure, FailsOpen,
		"Verification is switched off.",
		"Every changed number is stored at once, without a code.",
		"Switch it on at the console, or set identity_mgt.user_claim_update.mobile.enable_verification to true.",
	}
	clockDatabase = Rule{
		"clock-database", Warning, Weakens,
		"The clocks of the database and of this machine differ.",
		"The database's clock decides when codes expire. Logs and certificates go by this machine's.",
		"Let NTP set both clocks.",
	}
	clockKratos = Rule{
		"clock-kratos", Warning, Weakens,
		"The clocks of Kratos and of the database differ.",
		"How old a sign-in is, is reckoned from both: it counts as younger or older than it is.",
		"Let NTP set both clocks.",
	}
	clockSession = Rule{
		"clock-session-age", Failure, NotWorking,
		"The clocks of Kratos and of the database differ by as much as a sign-in may be old.",
		"Fresh sign-ins count as too old and no code is taken, or old ones count as fresh.",
		"Let NTP set both clocks.",
	}
	holdlineAway = Rule{
		"holdline-unreachable", Failure, NotWorking,
		"Holdline does not answer where Kratos is to call it.",
		"While it does not, every change of a number is refused.",
		"Start `holdline serve`, or set hooks.base_url to where Kratos reaches the admin listener.",
	}
	keyRefused = Rule{
		"hook-key-refused", Failure, NotWorking,
		"The running Holdline does not take the hook key of this configuration.",
		"It runs with another one: it was not restarted, or it is another Holdline.",
		"Restart Holdline with this configuration, and print the lines for kratos.yml again.",
	}
	foreignYes = Rule{
		"hook-answer-yes", Failure, FailsOpen,
		"Something else than Holdline says yes where Kratos is to call a hook.",
		"Kratos takes any 2xx without an identity for a yes: a new number is stored at once, without a code.",
		"Set hooks.base_url to where Kratos reaches Holdline's admin listener, and print the lines for kratos.yml again. A proxy between the two has to pass calls and answers on as they are.",
	}
	foreignAnswer = Rule{
		"hook-answer-foreign", Failure, NotWorking,
		"Something else than Holdline answers where Kratos is to call a hook.",
		"Kratos refuses every change of a number. If the answer becomes a yes, the number is stored without a code.",
		"Set hooks.base_url to where Kratos reaches Holdline's admin listener, and print the lines for kratos.yml again. A proxy between the two has to pass calls and answers on as they are.",
	}
	adminExposed = Rule{
		"admin-listener-public", Failure, FailsOpen,
		"The hooks can be called at the public address.",
		"A proxy passes on what is for the admin listener alone. Who has the hook key can mark any number verified from anywhere.",
		"Let the proxy pass only the public listener on.",
	}
	gatewayRefuses = Rule{
		"gateway-refuses", Failure, NotWorking,
		"An SMS provider refuses the credentials.",
		"No code goes out by this gateway.",
		"Look at the gateway's credentials, and at the account.",
	}
	gatewayAway = Rule{
		"gateway-unreachable", Failure, NotWorking,
		"An SMS provider cannot be reached.",
		"No code goes out by this gateway.",
		"Look at the gateway's address, at DNS and at firewalls.",
	}
	kratosAway = Rule{
		"kratos-unreachable", Failure, NotWorking,
		"Kratos does not answer.",
		"Nobody's session can be proved, and no confirmed number can be written.",
		"Look at the URL, and at Kratos.",
	}
	kratosVersion = Rule{
		"kratos-version", Warning, FailsOpen,
		"This version of Kratos was not measured.",
		"docs/kratos.md says how hooks behave in v1.3 and, as far as it was measured, in v26.2. Another version may not hold numbers back.",
		"Try a change of number before people do.",
	}
	kratosExposed = Rule{
		"kratos-admin-public", Failure, FailsOpen,
		"Kratos' admin API answers at its public address.",
		"Whoever reaches it can write any number, verified, for anybody.",
		"Keep the admin API off the public address.",
	}

	liveRules = []Rule{
		verificationOff, foreignYes, adminExposed, kratosExposed, databaseAway, schemaOutdated, serverReadOnly, holdlineAway, keyRefused,
		foreignAnswer,
		kratosAway, gatewayRefuses, gatewayAway, clockSession, kratosVersion, clockKratos, clockDatabase,
		serverLossy, serverOld, serverConnections, serverIdle,
	}
)

const (
	// clockTolerance leaves room for the whole seconds of HTTP's Date.
	clockTolerance = 10 * time.Second
)

// kratos returns what was seen of a realm's Kratos, nil if it was not asked.
func (l *Live) kratos(realm string) *Kratos {
	if l == nil {
		return nil
	}
	if seen, ok := l.Kratos[realm]; ok {
		seen.Ahead = l.Database.against(seen.Ahead)
		return &seen
	}
	return nil
}

// against reckons how far Kratos' clock is ahead of the database's.
func (d Database) against(kratos *time.Duration) *time.Duration {
	if kratos == nil || d.Err != nil {
		return nil
	}
	ahead := *kratos - d.Ahead
	return &ahead
}

func (l *Live) check(s Setup) []Finding {
	found := append(l.Database.check(s), l.Holdline.check()...)
	for _, g := range l.Gateways {
		switch {
		case g.Err == nil:
		case g.Refuses:
			found = append(found, gatewayRefuses.at(key(g.Key), sentence(g.Err)))
		default:
			found = append(found, gatewayAway.at(key(g.Key), sentence(g.Err)))
		}
	}
	return found
}

func (d Database) check(s Setup) []Finding {
	if d.Err != nil {
		return []Finding{databaseAway.at(key("database.dsn"), sentence(d.Err))}
	}
	found := append(Clock(d.Ahead), d.Server.check()...)
	if d.Outdated && !s.AutoMigrate {
		found = append(found, schemaOutdated.at(key("database.dsn"), ""))
	}
	if d.Off {
		found = append(found, verificationOff.at(key("identity_mgt.user_claim_update.mobile.enable_verification"), ""))
	}
	return found
}

func (s Server) check() []Finding {
	var found []Finding
	find := func(rule Rule, detail string) { found = append(found, rule.at(key("database.dsn"), detail)) }
	if s.ReadOnly {
		find(serverReadOnly, "It is "+s.Name+".")
	}
	for _, setting := range s.Lossy {
		find(serverLossy, "It is "+s.Name+", and "+setting+".")
	}
	if s.Least != "" {
		find(serverOld, "It is "+s.Name+"; the oldest is "+s.Least+".")
	}
	if s.Connections < s.Opened {
		find(serverConnections, fmt.Sprintf("max_connections is %d, and one replica opens up to %d.", s.Connections, s.Opened))
	}
	if s.Idle > 0 {
		find(serverIdle, fmt.Sprintf("It does so after %d seconds.", s.Idle))
	}
	return found
}

// Clock looks at how far the database's clock is ahead of this machine's.
func Clock(ahead time.Duration) []Finding {
	if ahead.Abs() < clockTolerance {
		return nil
	}
	return []Finding{clockDatabase.at(key("database.dsn"), "The database's is "+apart(ahead)+".")}
}

func (h Holdline) check() []Finding {
	var found []Finding
	for _, realm := range slices.Sorted(maps.Keys(h.Hooks)) {
		answer, detail := h.Hooks[realm], ""
		if len(h.Hooks) > 1 {
			detail = "With the hook key of the realm " + realm + "."
		}
		switch {
		case answer.Err != nil:
			found = append(found, holdlineAway.at(key(h.Admin), answer.Sentence()))
		case answer.Keyless():
			found = append(found, keyRefused.at(key(h.Admin), detail))
		case answer.Accepts():
			found = append(found, foreignYes.at(key(h.Admin), answer.Sentence()))
		case !answer.Own:
			found = append(found, foreignAnswer.at(key(h.Admin), answer.Sentence()))
		}
	}
	if h.Exposed != "" {
		found = append(found, adminExposed.at(key(h.Exposed), ""))
	}
	return found
}

// measured are the versions that docs/kratos.md is about.
var measured = regexp.MustCompile(`^v?(1\.3|26\.2)\.`)

// checkKratos looks at what was seen of a realm's Kratos.
func (r Realm) checkKratos(seen Kratos) []Finding {
	var found []Finding
	for _, side := range []struct {
		key, url string
		err      error
	}{{".public_url", r.PublicURL, seen.PublicErr}, {".admin_url", r.AdminURL, seen.AdminErr}} {
		if side.err != nil {
			found = append(found, kratosAway.at(key(r.Key+side.key), Bare(side.url)+": "+sentence(side.err)))
		}
	}
	if seen.AdminOnPublic {
		found = append(found, kratosExposed.at(key(r.Key+".public_url"), ""))
	}
	if seen.AdminErr == nil && !measured.MatchString(seen.Version) {
		found = append(found, kratosVersion.at(key(r.Key+".admin_url"), fmt.Sprintf("It says that it is %q.", seen.Version)))
	}
	if seen.Ahead != nil && seen.Ahead.Abs() >= clockTolerance {
		rule := clockKratos
		if r.SessionAge > 0 && seen.Ahead.Abs() >= r.SessionAge {
			rule = clockSession
		}
		found = append(found, rule.at(key(r.Key+".public_url"), "Kratos' is "+apart(*seen.Ahead)+"."))
	}
	return found
}

// apart says how far a clock is off.
func apart(ahead time.Duration) string {
	if ahead < 0 {
		return ahead.Abs().Round(time.Second).String() + " behind"
	}
	return ahead.Round(time.Second).String() + " ahead"
}

// sentence writes an error as one.
func sentence(err error) string {
	text := err.Error()
	return strings.ToUpper(text[:1]) + strings.TrimSuffix(text[1:], ".") + "."
}
