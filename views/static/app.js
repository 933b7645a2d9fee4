"use strict";

const svg = (...paths) => {
  const icon = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  icon.setAttribute("viewBox", "0 0 24 24");
  icon.setAttribute("aria-hidden", "true");
  for (const path of paths) {
    const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
    line.setAttribute("d", path);
    icon.append(line);
  }
  return icon;
};

for (const wrapper of document.querySelectorAll("[data-reveal]")) {
  const input = wrapper.querySelector("input[type=password]");
  const button = document.createElement("button");
  button.type = "button";
  button.className = "reveal";
  button.title = wrapper.dataset.reveal;
  button.setAttribute("aria-label", wrapper.dataset.reveal);
  button.setAttribute("aria-controls", input.id);
  button.append(svg("M2 12s3.6-6.5 10-6.5S22 12 22 12s-3.6 6.5-10 6.5S2 12 2 12zM12 9a3 3 0 100 6 3 3 0 000-6z", "M4 20L20 4"));

  const show = (shown) => {
    input.type = shown ? "text" : "password";
    button.setAttribute("aria-pressed", String(shown));
  };
  show(false);
  button.addEventListener("click", () => show(input.type === "password"));
  // Browsers offer to save a password only if it is sent from a password field.
  input.form.addEventListener("submit", () => show(false));
  input.spellcheck = false;
  input.autocapitalize = "none";
  input.parentElement.classList.add("revealing");
  input.parentElement.append(button);
}

// Browsers ignore autofocus where the address names a part of the page.
if (location.hash) addEventListener("load", () => document.querySelector("[autofocus]")?.focus());

// Browsers keep pages for the back button, even with no-store. The user may have signed out since.
addEventListener("pageshow", ({ persisted }) => {
  if (persisted && document.querySelector("header form[action='/logout']")) location.reload();
});
