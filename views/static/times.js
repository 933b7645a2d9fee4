"use strict";

// Shows each time of a part of the page in the reader's time zone, as the server shows it in its own. The title has the server's.
const showTimes = (part) => {
  const language = document.documentElement.lang;
  const day = new Intl.DateTimeFormat(language === "en" ? "en-GB" : language, { day: "numeric", month: "long", year: "numeric" });
  const hour = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const zone = new Intl.DateTimeFormat("en-GB", { timeZoneName: "shortOffset" });

  for (const element of part.querySelectorAll("time[datetime]")) {
    const text = element.getAttribute("datetime");
    const time = new Date(text);
    const [, sign, hours, minutes] = /([+-])(\d\d):(\d\d)$/.exec(text) ?? [text, "+", 0, 0];
    const offset = `${sign}1` * (hours * 60 + +minutes);
    if (isNaN(time) || offset === -time.getTimezoneOffset()) continue;
    const name = zone.formatToParts(time).find(({ type }) => type === "timeZoneName").value.replace("GMT", "UTC").replace(/\+0$/, "");
    element.title = element.textContent;
    element.textContent = `${day.format(time)}, ${hour.format(time)} ${name}`;
  }
};
showTimes(document);
