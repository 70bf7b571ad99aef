import { useComponents, useOryConfiguration, useOryFlow } from "@ory/elements-react"
import { type FormEvent, useEffect, useState } from "react"

/** What is said of an answer, by its code; docs/api.md has them all. */
const words: Record<string, string> = {
  resent: "A new code is on its way.",
  "18001": "This code is not valid.",
  "18002": "This code has expired. Ask for a new one.",
  "HLD-40901": "Another account has this number. Yours stays as it was.",
  "HLD-42901": "A code was sent only a moment ago. Wait a little.",
  "HLD-42902": "No more codes can be sent now. Try again later.",
  "HLD-42903": "Too many wrong codes. Try again later.",
}

/** What a code needs that is refused for these, as Kratos' login takes it. */
const signIn: Record<string, string> = { "HLD-40301": "refresh=true", "HLD-40304": "aal=aal2" }

const resend = { properties: [{ key: "RecoveryScenario", value: "MOBILE_VERIFICATION_ON_UPDATE" }] }

/** Ory's own looks of its buttons and fields. */
const button = "cursor-pointer rounded-buttons p-4 leading-none font-medium ring-1 ring-inset"
const main = `${button} bg-button-primary-background-default text-button-primary-foreground-default ring-button-primary-border-default hover:bg-button-primary-background-hover`
const plain = `${button} bg-button-secondary-background-default text-button-secondary-foreground-default ring-button-secondary-border-default hover:bg-button-secondary-background-hover`
const field = "w-full rounded-forms border border-input-border-default bg-input-background-default p-4 leading-tight text-input-foreground-primary"

type Props = {
  /** Where people reach Holdline (public.base_url); its public.cors.allowed_origins names this site. */
  server: string
  /** Called when the number has been confirmed or taken back: begin a new settings flow. */
  onEnd: () => void
}

/**
 * A section of the settings page, inside of Ory's <Settings>, for the mobile number that
 * waits for its code. It is not there while none does.
 */
export function PendingNumber({ server, onEnd }: Props) {
  const flow = useOryFlow().flow as { identity?: { metadata_public?: { pendingMobileNumber?: string } } }
  const told = flow.identity?.metadata_public?.pendingMobileNumber
  const kratos = useOryConfiguration().sdk.url
  const { Card } = useComponents()
  const [code, setCode] = useState("")
  const [said, setSaid] = useState("")
  const [found, setFound] = useState("")

  // The profile may not say yet what is pending, nor that it is so no more.
  useEffect(() => {
    if (told) return
    call("GET", "mobile-claim").then((claim) => setFound(claim.pendingMobileNumber ?? ""))
  }, [flow])

  const pending = told || found
  if (!pending) return null

  /** Calls the user API. A refusal has a code, and the claim that is asked for the number, masked. */
  async function call(method: string, path: string, body?: object): Promise<{ code?: string; pendingMobileNumber?: string }> {
    try {
      const answer = await fetch(`${server}/api/identity/user/v1.0/me/${path}`, {
        method,
        credentials: "include",
        headers: body && { "Content-Type": "application/json" },
        body: body && JSON.stringify(body),
      })
      const text = await answer.text() // blank where there is nothing to tell
      return text ? JSON.parse(text) : {}
    } catch {
      return { code: "away" } // Holdline does not answer, or this origin is not allowed
    }
  }

  async function press(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const button = ((event.nativeEvent as SubmitEvent).submitter as HTMLButtonElement | null)?.value
    const answer =
      button === "resend"
        ? await call("POST", "resend-code", resend)
        : button === "cancel"
          ? await call("DELETE", "mobile-claim")
          : await call("POST", "validate-code", { code })
    const refused = answer.code ?? ""
    if (refused === "" && button !== "resend") onEnd()
    else if (signIn[refused]) {
      const back = encodeURIComponent(location.origin + location.pathname)
      location.assign(`${kratos}/self-service/login/browser?${signIn[refused]}&return_to=${back}`)
    } else setSaid(words[refused || "resent"] ?? "That did not work. Try again in a moment.")
  }

  return (
    <Card.SettingsSection action="" method="post" onSubmit={press}>
      <Card.SettingsSectionContent
        title="Confirm your new mobile number"
        description={`We sent a code to ${pending}. Until you enter it, the number below stays in force.`}
      >
        <label className="flex flex-col gap-1 text-interface-foreground-default-primary">
          Code
          <input
            name="code"
            type="text"
            value={code}
            onChange={(event) => setCode(event.target.value)}
            inputMode="numeric"
            autoComplete="one-time-code"
            className={field}
          />
        </label>
        <p role="status" className="text-interface-foreground-default-primary" data-said>
          {said}
        </p>
      </Card.SettingsSectionContent>
      <Card.SettingsSectionFooter text="">
        {/* Enter presses the first button, which is to stand last. */}
        <div style={{ display: "flex", flexFlow: "row-reverse wrap", gap: "0.5rem" }}>
          <button value="confirm" className={main}>
            Confirm
          </button>
          <button value="resend" className={plain}>
            Send a new code
          </button>
          <button value="cancel" className={plain}>
            Cancel the change
          </button>
        </div>
      </Card.SettingsSectionFooter>
    </Card.SettingsSection>
  )
}
