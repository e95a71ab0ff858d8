// Logging out: the cookie cannot be read here, so the shop takes it back.
const button = document.getElementById("log-out");

button.hidden = false;
button.addEventListener("click", async () => {
  button.disabled = true;
  try {
    await fetch("/console/session", { method: "DELETE" });
    location.assign("/console");
  } catch {
    button.disabled = false;
    button.textContent = "Log out: the shop did not answer, try again";
  }
});
