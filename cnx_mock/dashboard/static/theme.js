// Sets the colours before anything is painted: the system's, unless the switch of the page has chosen others.
(() => {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const chosen = () => {
    try {
      return localStorage.getItem("cnx-mock-theme") || "system";
    } catch {
      return "system"; // storage can be switched off
    }
  };
  const apply = () => {
    const theme = chosen();
    root.dataset.theme = theme === "system" ? (system.matches ? "dark" : "light") : theme;
    dispatchEvent(new Event("cnx-theme"));
  };
  system.addEventListener("change", apply);
  globalThis.cnxTheme = {
    chosen,
    choose(theme) {
      try {
        localStorage.setItem("cnx-mock-theme", theme);
      } catch {
        root.dataset.theme = theme;
      }
      apply();
    },
  };
  apply();
})();
