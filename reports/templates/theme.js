// Runs before anything is drawn, so that the page never flashes in the other theme.
"use strict";
(() => {
  let kept = null;
  try { kept = localStorage.getItem("lipbench-theme"); } catch { /* pages from disk may have no storage */ }
  if (kept === "light" || kept === "dark") document.documentElement.dataset.theme = kept;
})();
