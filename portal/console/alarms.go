package console

import (
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/admin"
	"github.com/holdline/holdline/internal/claim"
	"github.com/holdline/holdline/internal/message"
	"github.com/holdline/holdline/internal/people"
	"github.com/holdline/holdline/portal/layout"
)

type alarmsPage struct {
	frame
	Alarms []claim.Alarm
	All    bool
	Pager  pager
}

func (s *console) alarmList(c *gin.Context, v *visit) error {
	after, ok := admin.ParseCursor(c.Query("after"))
	if !ok {
		return errMalformed
	}
	p := alarmsPage{frame: s.frame(v, "Alarms"), All: c.Query("show") == "all"}
	found, err := s.Archive.FindAlarms(c.Request.Context(), admin.AlarmQuery{Open: !p.All, After: after, Limit: rows + 1})
	if err != nil {
		return err
	}
	var next string
	p.Alarms, next = cut(found, func(a claim.Alarm) string { return admin.Cursor{At: a.RaisedAt, ID: a.ID}.String() })
	p.Pager = pages(Path+"/alarms", url.Values{"show": {c.Query("show")}}, c.Query("after"), next)
	s.pages.Show(c, http.StatusOK, "alarms", p)
	return nil
}

type alarmPage struct {
	frame
	Alarm   claim.Alarm
	Profile people.Profile
	Away    bool // Kratos does not say what the account has now
	Blocked bool
}

func alarmPath(c *gin.Context) string { return Path + "/alarms/" + url.PathEscape(c.Param("id")) }

func (s *console) alarm(c *gin.Context, v *visit) error { return s.showAlarm(c, v, http.StatusOK) }

func (s *console) showAlarm(c *gin.Context, v *visit, status int) error {
	found, err := s.Admin.Alarm(c.Request.Context(), c.Param("id"))
	if err != nil {
		return err
	}
	s.pages.Show(c, status, "alarm", alarmPage{
		s.frame(v, "Denied change").below("Alarms"), found.Alarm, found.Profile, found.Away, s.Now().Before(found.Alarm.BlockedUntil),
	})
	return nil
}

// askRestore asks whether it is meant, and shows what is in force now.
func (s *console) askRestore(c *gin.Context, v *visit) error {
	found, err := s.Admin.Alarm(c.Request.Context(), c.Param("id"))
	if err != nil {
		return err
	}
	if found.Alarm.Closed() {
		c.Redirect(http.StatusFound, alarmPath(c))
		return nil
	}
	s.pages.Show(c, http.StatusOK, "restore", alarmPage{
		s.frame(v, "Put the number from before back?").below("Alarms"), found.Alarm, found.Profile, found.Away, false,
	})
	return nil
}

// actOnAlarm does one of the acts, and says on the alarm's page how it went.
func (s *console) actOnAlarm(c *gin.Context, v *visit) error {
	ctx, id := c.Request.Context(), c.Param("id")
	act := c.Param("act")
	var err error
	switch act {
	case "restore":
		err = s.Admin.RestoreNumber(ctx, id, v.who)
	case "end-sessions":
		err = s.Admin.EndSessions(ctx, id, v.who)
	case "lift":
		err = s.Admin.LiftBlock(ctx, id, v.who)
	case "close":
		err = s.Admin.CloseAlarm(ctx, id, v.who)
	default:
		return errNoPage
	}
	if err == nil {
		s.done(c, alarmPath(c), act)
		return nil
	}
	status, title, text := s.words(c, err)
	if status == http.StatusNotFound || status >= http.StatusInternalServerError {
		s.problem(c, v, status, title, text)
		return nil
	}
	v.notice = layout.Notice{Kind: "error", Text: text}
	return s.showAlarm(c, v, status)
}

// deniedWords say what somebody did not want.
func deniedWords(kind message.TextKind) string {
	switch kind {
	case message.TextRequested:
		return "another number was asked for"
	case message.TextRemoved:
		return "the number was removed"
	case message.TextTaken:
		return "another account proved the number"
	default:
		return "the number was changed"
	}
}
