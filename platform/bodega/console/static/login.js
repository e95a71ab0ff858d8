// Logging in: a password becomes an access token, an access token becomes the console's cookie.
const form = document.querySelector("form");
const alert = form.querySelector("[role=alert]");
const button = form.querySelector("button");

async function post(address, options) {
  const answer = await fetch(address, { method: "POST", ...options });
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) {
    const problem = new Error(said.detail || `The shop answered ${answer.status}.`);
    problem.type = said.type;
    throw problem;
  }
  return said;
}

async function accessToken(given) {
  if (form.id === "token-form") {
    return given.get("token").trim();
  }
  const tokens = await post("/api/v1/auth/login", {
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(Object.fromEntries([...given].filter(([, value]) => value !== ""))),
  });
  return tokens.access;
}

async function logIn() {
  const token = await accessToken(new FormData(form));
  await post("/console/session", { headers: { Authorization: `Bearer ${token}` } });
  // The page that was asked for stands at this address; nothing leads anywhere else.
  location.reload();
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  alert.hidden = true;
  button.disabled = true;
  try {
    await logIn();
  } catch (error) {
    if (error.type === "/api/problems/second-factor-required") {
      form.querySelector("#second-factor").hidden = false;
      form.elements.code.focus();
    }
    alert.textContent = error.message;
    alert.hidden = false;
    button.disabled = false;
  }
});
button.disabled = false;
