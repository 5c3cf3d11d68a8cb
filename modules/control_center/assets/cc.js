// What a server cannot do: the viewer's own time, dialogs where `command` is not known, the menu of small
// screens, and telling the page's moving parts to look again. Everything works without it, a little less well.
(function () {
  "use strict";

  var relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
  var exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
  var units = [["day", 86400], ["hour", 3600], ["minute", 60]];

  function ago(seconds) {
    for (var i = 0; i < units.length; i++) {
      if (Math.abs(seconds) >= units[i][1]) {
        return relative.format(Math.round(seconds / units[i][1]), units[i][0]);
      }
    }
    return relative.format(Math.round(seconds), "second");
  }

  function tellTimes() {
    document.querySelectorAll("time[data-when]").forEach(function (it) {
      var at = new Date(it.dateTime);
      it.textContent = ago((at - Date.now()) / 1000);
      it.title = exact.format(at);
    });
  }

  // Where the viewer's days begin: a list's days are theirs, not the server's.
  function tellZone() {
    var minutes = -new Date().getTimezoneOffset();
    var two = function (number) { return String(Math.floor(number)).padStart(2, "0"); };
    var zone = (minutes < 0 ? "-" : "+") + two(Math.abs(minutes) / 60) + ":" + two(Math.abs(minutes) % 60);
    document.querySelectorAll("input[data-zone]").forEach(function (it) { it.value = zone; });
  }

  // What a filter does not ask for has no place in the address.
  function leaveOutEmpty(event) {
    var asked = event.detail.parameters;
    if (event.detail.verb !== "get") return;
    Object.keys(asked).forEach(function (name) {
      if (asked[name] === "") delete asked[name];
    });
    if (!asked.since && !asked.until) delete asked.zone;
  }

  function openDialogs(event) {
    var button = event.target.closest("button[commandfor]");
    if (!button || "commandForElement" in HTMLButtonElement.prototype) return;
    var dialog = document.getElementById(button.getAttribute("commandfor"));
    if (button.getAttribute("command") === "show-modal") dialog.showModal();
    if (button.getAttribute("command") === "close") dialog.close();
  }

  function toggleMenu(event) {
    var button = event.target.closest("button.menu");
    if (!button) return;
    var open = button.getAttribute("aria-expanded") === "true";
    button.setAttribute("aria-expanded", String(!open));
  }

  function listen() {
    var address = document.body.dataset.live;
    if (!address) return;
    var events = new EventSource(address);
    events.addEventListener("tick", function () {
      // Nobody looks at a page in the background.
      if (!document.hidden) document.body.dispatchEvent(new Event("live"));
    });
  }

  document.addEventListener("click", openDialogs);
  document.addEventListener("click", toggleMenu);
  document.addEventListener("htmx:afterSwap", tellTimes);
  setInterval(tellTimes, 15000);
  document.addEventListener("htmx:configRequest", leaveOutEmpty);
  tellTimes();
  tellZone();
  listen();
})();
