// <holdline-pending server="https://id.example.com"> is shown while a mobile number of the
// person who is signed in waits for its code; else it stays hidden. Its words and looks are
// what stands in it:
//
//	[data-number]             gets the number: the attribute `expected`, or else a masked one
//	[data-said]               gets what became of a button, a sentence of `words`
//	form, input name=code     sends the code
//	button value=resend       asks for another code
//	button value=cancel       takes the change back
//
// `expected` is what the profile has as pending, Kratos' metadata_public.pendingMobileNumber.
// It calls Holdline's user API with Kratos' session cookie, so that Holdline's
// public.cors.allowed_origins has to name this page's origin.

const words = {
  resent: 'A new code is on its way.',
  18001: 'This code is not valid.',
  18002: 'This code has expired. Ask for a new one.',
  'HLD-40901': 'Another account has this number. Yours stays as it was.',
  'HLD-42901': 'A code was sent only a moment ago. Wait a little.',
  'HLD-42902': 'No more codes can be sent now. Try again later.',
  'HLD-42903': 'Too many wrong codes. Try again later.',
  other: 'That did not work. Try again in a moment.'
}

// What a code needs that is refused for these, as Kratos' login takes it.
const signIn = { 'HLD-40301': 'refresh=true', 'HLD-40304': 'aal=aal2' }

const resend = { properties: [{ key: 'RecoveryScenario', value: 'MOBILE_VERIFICATION_ON_UPDATE' }] }

class HoldlinePending extends HTMLElement {
  connectedCallback() {
    this.hidden = true
    this.addEventListener('submit', (event) => {
      event.preventDefault()
      this.press(event.submitter?.value, new FormData(event.target).get('code'))
    })
    this.look(10)
  }

  async call(method, path, body) {
    try {
      const answer = await fetch(`${this.getAttribute('server')}/api/identity/user/v1.0/me/${path}`, {
        method,
        credentials: 'include',
        headers: body && { 'Content-Type': 'application/json' },
        body: body && JSON.stringify(body)
      })
      const told = await answer.json().catch(() => ({})) // a success is empty
      return { ...told, ok: answer.ok, status: answer.status }
    } catch {
      return { ok: false } // Holdline does not answer, or this origin is not allowed
    }
  }

  // look shows what is pending. Just after a form was saved Holdline hears of it a moment
  // later than the browser: so it looks some times more for what is expected.
  async look(times) {
    const expected = this.getAttribute('expected')
    const claim = await this.call('GET', 'mobile-claim')
    if (claim.ok) {
      this.querySelector('[data-number]').textContent = expected || claim.pendingMobileNumber
      this.hidden = false
    } else if (claim.status === 404 && expected && times > 0) {
      setTimeout(() => this.look(times - 1), 500)
    }
  }

  async press(button, code) {
    const done =
      button === 'resend' ? await this.call('POST', 'resend-code', resend)
      : button === 'cancel' ? await this.call('DELETE', 'mobile-claim')
      : await this.call('POST', 'validate-code', { code })
    if (done.ok && button !== 'resend') {
      location.assign(location.pathname) // the form is filled in anew
      return
    }
    if (signIn[done.code]) {
      location.assign(`login?${signIn[done.code]}&return_to=${encodeURIComponent(location.origin + location.pathname)}`)
      return
    }
    this.querySelector('[data-said]').textContent = words[done.ok ? 'resent' : done.code] ?? words.other
  }
}

customElements.define('holdline-pending', HoldlinePending)
