(width) => {
  // What a reader of the page would miss: words beyond an edge, curves without colour, words on words.
  const edge = Math.min(document.documentElement.clientWidth, width);
  const box = each => each.getBoundingClientRect();
  const name = each => `${each.tagName} ${(each.textContent || each.getAttribute("class") || "").slice(0, 40)}`;
  const beyond = each => {
    const svg = each.closest("figure > svg"), place = box(each), frame = svg ? box(svg) : null;
    if (place.right > edge + 0.5 || place.left < -0.5) return true;
    if (frame && each.tagName === "text") return place.top < frame.top - 1 || place.bottom > frame.bottom + 1;
    return !svg && each.scrollWidth > each.clientWidth + 1 && getComputedStyle(each).display !== "inline";
  };
  const invisible = path => {
    const style = getComputedStyle(path), place = box(path);
    const painted = (style.stroke !== "none" && parseFloat(style.strokeWidth) > 0) || style.fill !== "none";
    const small = place.width + place.height === 0 && style.strokeLinecap !== "round";
    return !painted || style.opacity === "0" || style.visibility !== "visible" || small;
  };
  const covered = [];
  for (const svg of document.querySelectorAll("figure > svg")) {
    const words = [...svg.querySelectorAll("text")];
    words.forEach((one, index) => words.slice(index + 1).forEach(other => {
      const a = box(one), b = box(other);
      if (a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 3 && b.top < a.bottom - 3)
        covered.push(`${name(one)} / ${name(other)}`);
    }));
  }
  return {
    figures: [...document.querySelectorAll("figure > svg")].filter(each => each.querySelector("path.line, path.bar")).length,
    scrolls: document.documentElement.scrollWidth > edge,
    outside: [...document.querySelectorAll("body *")].filter(beyond).map(name),
    hidden: [...document.querySelectorAll("figure path")].filter(invisible).map(name),
    covered,
  };
}
