export function style({ accent, accentSoft, paper }) {
  return `
:root { --accent: ${accent}; --soft: ${accentSoft}; --paper: ${paper}; --ink: #2b2622; --quiet: #766c62; --line: #e6ddd1; }
* { box-sizing: border-box; margin: 0; }
body { background: var(--paper); color: var(--ink); font: 16px/1.55 ui-sans-serif, system-ui, "Segoe UI", Roboto, sans-serif;
  min-height: 100vh; display: flex; flex-direction: column; }
header, main, footer { width: 100%; max-width: 1040px; margin: 0 auto; padding: 0 24px; }
header { display: flex; justify-content: space-between; align-items: center; padding-top: 24px; }
h1, h2, .brand { font-family: Georgia, "Iowan Old Style", "Times New Roman", serif; font-weight: 500; }
.brand { display: flex; gap: 10px; align-items: center; font-size: 22px; color: var(--ink); text-decoration: none; }
.brand svg { width: 26px; color: var(--accent); }
.brand i { color: var(--accent); }
.who { margin-left: auto; margin-right: 16px; color: var(--quiet); font-size: 14px; }
.who b { color: var(--ink); }
.cart { color: var(--ink); text-decoration: none; border: 1px solid var(--line); border-radius: 99px; padding: 7px 18px; background: #fff; }
.cart b { background: var(--accent); color: #fff; border-radius: 99px; padding: 1px 8px; margin-left: 6px; font-size: 13px; }
main { flex: 1; padding-top: 40px; padding-bottom: 56px; }
.hero { background: var(--soft); border-radius: 22px; padding: 52px 44px; margin-bottom: 36px; }
.hero h1 { font-size: clamp(32px, 5vw, 50px); line-height: 1.1; letter-spacing: -.01em; }
.hero p { color: var(--quiet); margin-top: 12px; font-size: 18px; max-width: 46ch; }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(270px, 1fr)); gap: 22px; }
.card { background: #fff; border: 1px solid var(--line); border-radius: 18px; padding: 20px; display: flex; flex-direction: column; }
.card .picture { background: var(--soft); border-radius: 12px; padding: 14px; margin-bottom: 16px; text-align: center; }
.card .picture svg { height: 148px; }
.card h2 { font-size: 21px; }
.card .origin { font-size: 12px; letter-spacing: .08em; text-transform: uppercase; color: var(--accent); }
.card p { color: var(--quiet); flex: 1; margin: 4px 0 16px; }
.row { display: flex; justify-content: space-between; align-items: center; gap: 12px; }
.price { font-variant-numeric: tabular-nums; font-weight: 600; }
button { font: inherit; font-weight: 600; border: 0; border-radius: 99px; padding: 9px 20px; background: var(--accent); color: #fff; cursor: pointer; }
button:hover { filter: brightness(1.08); }
button.plain { background: none; color: var(--quiet); padding: 4px 8px; font-weight: 400; text-decoration: underline; }
a { color: var(--accent); }
a:focus-visible, button:focus-visible, input:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.panel { background: #fff; border: 1px solid var(--line); border-radius: 18px; padding: 28px; max-width: 680px; }
.panel h1 { font-size: 30px; margin-bottom: 16px; }
.line { display: flex; align-items: center; gap: 16px; padding: 12px 0; border-bottom: 1px solid var(--line); }
.line svg { width: 52px; flex: none; }
.line .name { flex: 1; }
.line small { color: var(--quiet); display: block; }
.total { font-size: 19px; padding: 18px 0; }
label { display: block; color: var(--quiet); margin-bottom: 6px; }
input { font: inherit; padding: 9px 14px; border: 1px solid var(--line); border-radius: 10px; width: 100%; margin-bottom: 16px; background: var(--paper); }
.badge { display: inline-block; border-radius: 99px; padding: 4px 14px; background: var(--soft); color: var(--accent); font-weight: 600; }
.badge.packed { background: #dff1e2; color: #23683a; }
footer { display: flex; flex-wrap: wrap; gap: 8px 24px; justify-content: space-between; border-top: 1px solid var(--line);
  padding-top: 18px; padding-bottom: 26px; color: var(--quiet); font-size: 14px; }
.build b { color: var(--ink); font-weight: 600; font-family: ui-monospace, "SFMono-Regular", Menlo, monospace; font-size: 13px; }
`;
}
