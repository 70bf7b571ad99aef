package hook

import (
	"errors"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holdline/holdline/internal/phone"
	"github.com/holdline/holdline/internal/problem"
	"github.com/holdline/holdline/internal/web"
)

// Message ids, in Kratos' space for messages of its own error type (4 and seven
// digits) but far from those that it uses; info messages begin with 1.
const (
	refusedID = 4700001
	codeSent  = 1700001
)

// message is one of Kratos' UI messages.
type message struct {
	ID      int            `json:"id"`
	Text    string         `json:"text"`
	Type    string         `json:"type"`
	Context map[string]any `json:"context"`
}

type fieldMessages struct {
	InstancePtr string    `json:"instance_ptr"`
	Messages    []message `json:"messages"`
}

type refusal struct {
	Messages []fieldMessages `json:"messages"`
}

// atField is a refusal with one message at the number's field.
func (h handlers) atField(m message) refusal {
	return refusal{[]fieldMessages{{"#/traits/" + h.MobileTrait, []message{m}}}}
}

// refuse answers with an error, where the user looks, in the first of the
// languages that it can be said in.
func (h handlers) refuse(c *gin.Context, err error, languages string) {
	if web.HungUp(c, err) {
		web.AnswerNobody(c)
		return
	}
	fault := web.FormProblem(err, languages)
	switch {
	case byDoctor(c):
		h.Log.InfoContext(c.Request.Context(), "a hook answers", "code", fault.Code, DoctorField, true)
	case fault.Status < http.StatusInternalServerError:
		h.Log.InfoContext(c.Request.Context(), "number change refused", "code", fault.Code)
	}
	web.LogError(c, h.Log, "number change refused", err)
	details := map[string]any{"code": fault.Code}
	if limit := (*problem.LimitError)(nil); errors.As(err, &limit) {
		details["retry_at"] = limit.Until.Format(time.RFC3339)
	}
	if number := (*phone.Error)(nil); errors.As(err, &number) {
		details["reason"] = number.Fault
	}
	web.Answer(c, http.StatusBadRequest, h.atField(message{refusedID, fault.Description, "error", details}))
}

// interruption stops a flow whose claim is open all the same. Kratos saves nothing of
// the flow, and leads the browser back to its form and not to the page for codes: so
// the message names the page, in its text because that is all that most forms show.
func (h handlers) interruption(pending phone.Number, languages string) refusal {
	details := map[string]any{"claim": "open", "pending": pending.String()}
	if h.Page != "" {
		details["page"] = h.Page
	}
	return h.atField(message{ID: codeSent, Type: "info", Text: web.CodeSent(languages, h.Page), Context: details})
}
