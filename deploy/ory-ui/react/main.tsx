// The smallest site on Ory Elements that has settings and a login, to try PendingNumber
// with. Your site takes over the component, and what stands between <Settings> and
// </Settings>.
import "@ory/elements-react/theme/styles.css"

import { Configuration, FrontendApi, type LoginFlow, type SettingsFlow } from "@ory/client-fetch"
import { OryPageHeader, OrySettingsCard } from "@ory/elements-react"
import { Login, Settings } from "@ory/elements-react/theme"
import { createRoot } from "react-dom/client"

import { PendingNumber } from "./PendingNumber"

declare const site: { kratos: string; holdline: string }

const config = {
  sdk: { url: site.kratos, options: { credentials: "include" as const } },
  project: {
    name: "Example Bank",
    default_locale: "en",
    locale_behavior: "force_default" as const,
    default_redirect_url: "/settings",
    error_ui_url: "/error",
    login_ui_url: "/login",
    recovery_ui_url: "/recovery",
    registration_ui_url: "/registration",
    settings_ui_url: "/settings",
    verification_ui_url: "/verification",
    recovery_enabled: false,
    registration_enabled: false,
    verification_enabled: false,
  },
}

const kratos = new FrontendApi(new Configuration({ basePath: site.kratos, credentials: "include" }))

/** Kratos begins a flow, and leads back here with its id. */
function begin(name = "settings") {
  location.assign(`${site.kratos}/self-service/${name}/browser`)
}

const login = (flow: LoginFlow) => <Login flow={flow} config={config} />

const settings = (flow: SettingsFlow) => (
  <Settings flow={flow} config={config} onSuccess={() => begin()}>
    <div className="ory-elements">
      <div className="flex flex-col items-center justify-start gap-8 pb-12 font-sans-default">
        <OryPageHeader />
        <PendingNumber server={site.holdline} onEnd={begin} />
        <OrySettingsCard />
      </div>
    </div>
  </Settings>
)

async function show(id: string | null) {
  const name = location.pathname === "/login" ? "login" : "settings"
  if (!id) return begin(name)
  try {
    const page = name === "login" ? login(await kratos.getLoginFlow({ id })) : settings(await kratos.getSettingsFlow({ id }))
    createRoot(document.getElementById("root")!).render(page)
  } catch {
    begin(name) // the flow is over
  }
}

void show(new URLSearchParams(location.search).get("flow"))
