import { html, money } from "./pages/html.mjs";

const { SMTP_URL: smtp, STACKLING_URL: url, PORT: port = "3000" } = process.env;
const FROM = "Kettle & Leaf <orders@kettle-and-leaf.example>";

/**
 * Sends the confirmation of an order, in its own time: an order is one also where no mail goes out. Without SMTP_URL
 * there is none.
 */
export function confirmOrder(order, email) {
  if (!smtp) return;
  send(order, email).catch((error) => console.error(`order ${order.number} was not confirmed: ${error.message}`));
}

async function send({ id, number, customer, lines }, email) {
  // Only where somebody ordered: the shop starts quicker without it.
  const { createTransport } = await import("nodemailer");
  const link = `${url ?? `http://localhost:${port}`}/orders/${id}`;
  const total = money(lines.reduce((cents, line) => cents + line.quantity * line.priceCents, 0));
  const rows = lines.map(({ name, quantity, priceCents }) => ({ name, quantity, price: money(quantity * priceCents) }));
  await createTransport(smtp).sendMail({
    from: FROM,
    // As a map, so that what somebody typed is one address and no list.
    to: { name: customer, address: email },
    subject: `Your order ${number}`,
    text: [
      `Thank you, ${customer}.`,
      ...rows.map(({ name, quantity, price }) => `${quantity} × ${name}: ${price}`),
      `Total: ${total}`,
      link,
    ].join("\n\n"),
    html: String(html`<div style="max-width:520px;margin:0 auto;padding:24px;font:16px/1.5 Georgia,serif;color:#2b2a27">
<h1 style="font-size:24px">Thank you, ${customer}.</h1>
<p>We have your order ${number}, and pack it by hand today.</p>
<table style="width:100%;border-collapse:collapse">${rows.map(
      ({ name, quantity, price }) =>
        html`<tr><td style="padding:6px 0">${quantity} × ${name}</td><td style="text-align:right">${price}</td></tr>`,
    )}<tr><td style="padding:10px 0;border-top:1px solid #ccc"><b>Total</b></td><td style="text-align:right;border-top:1px solid #ccc"><b>${total}</b></td></tr></table>
<p><a href="${link}" style="color:#8a4b20">See your order</a></p>
</div>`),
  });
  console.log(`confirmed order ${number}`);
}
