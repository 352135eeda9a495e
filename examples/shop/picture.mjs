/** A tea tin as inline SVG, drawn from three colours; kept in the database with its product. */
export function tinPicture({ body, lid, label }) {
  return `<svg viewBox="0 0 160 160" xmlns="http://www.w3.org/2000/svg" aria-hidden="true">
<ellipse cx="80" cy="143" rx="46" ry="6" fill="#000" opacity=".12"/>
<rect x="40" y="46" width="80" height="94" rx="9" fill="${body}"/>
<rect x="40" y="46" width="20" height="94" rx="9" fill="#fff" opacity=".14"/>
<rect x="36" y="30" width="88" height="22" rx="7" fill="${lid}"/>
<rect x="66" y="20" width="28" height="12" rx="6" fill="${lid}"/>
<rect x="50" y="70" width="60" height="48" rx="6" fill="${label}"/>
<path d="M80 78c14 6 14 24 0 32c-14-8-14-26 0-32z" fill="${body}"/>
<path d="M80 82v25" stroke="${label}" stroke-width="2" stroke-linecap="round"/>
</svg>`;
}
