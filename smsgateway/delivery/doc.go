// Package delivery takes queued texts from the outbox and gives them to gateways.
//
// A text reaches the [Worker] straight after the commit that queued it
// ([Worker.Enqueue]); polling the outbox only finds what was left over by a crash, a
// full queue or a failed attempt. The [Routing] says which gateways a text may take,
// in which order; each is asked as often, and for as many texts at once, as its
// [Route] allows, and not at all while its circuit breaker is open or while it rests
// on its own wish. [Worker.Health] reports what is known of them. Every text is
// settled in the outbox:
//
//	                      ┌─ sent     a gateway took it, or two may have
//	enqueued ─┐           ├─ failed   every gateway refuses it, or its code expires
//	          ├─ attempt ─┤           before another try
//	   found ─┘           ├─ dropped  its code expired
//	                      └─ put off  some gateway may take it later
//
// A text that a provider may have taken, because no answer to a whole request could
// be read ([smsgateway.ErrUnclear]), is sent once more: at once by the next gateway,
// or late, when an outage may be over. If that ends the same way, it is recorded as
// sent, with the reason; who waits in vain asks for another.
//
// A text whose gateway gives an answer that is not understood
// ([smsgateway.ErrUnsure]) counts as not sent: the gateway is asked once more within
// its time-out, then the next one, and all of them again later, three times in all.
//
// What is found is leased only when a gateway has room for it, newest first, and
// makes room for what is enqueued. What expired, and what no gateway is to be asked
// for at present, is settled many at a time.
package delivery
