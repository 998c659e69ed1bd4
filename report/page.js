// The pointer's read-out on each curve. The page is complete without it.
document.querySelectorAll(".area[data-curves]").forEach((area) => {
  const curves = JSON.parse(area.dataset.curves);
  const [left, right] = JSON.parse(area.dataset.range);
  const cursor = area.querySelector(".cursor");
  const readout = area.querySelector(".readout");
  const write = (value) => Number(value).toPrecision(4).replace(/\.?0+$/, "");
  area.addEventListener("pointermove", (event) => {
    const box = area.getBoundingClientRect();
    const share = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    const x = left + share * (right - left);
    const nearest = curves.map(({ name, values }) => [
      name,
      values.reduce((best, next) => (Math.abs(next[0] - x) < Math.abs(best[0] - x) ? next : best)),
    ]);
    const at = ((nearest[0][1][0] - left) / (right - left)) * 100;
    const named = nearest.map(([name, [, y]]) => (curves.length > 1 ? `${name} ${write(y)}` : write(y)));
    readout.textContent = `${area.dataset.x} ${Math.round(nearest[0][1][0]).toLocaleString("en")}: ${named.join(", ")}`;
    cursor.style.left = `${at}%`;
    readout.style.left = at > 55 ? "auto" : `calc(${at}% + 6px)`;
    readout.style.right = at > 55 ? `calc(${100 - at}% + 6px)` : "auto";
    cursor.style.display = readout.style.display = "block";
  });
  area.addEventListener("pointerleave", () => {
    cursor.style.display = readout.style.display = "none";
  });
});
