/** Reads along with a page until its head ends: where an element can be put last into it, and the policies it holds. */
import { finished } from "node:stream/promises";
import { setImmediate as breathe } from "node:timers/promises";
import { type EndTag, SAXParser, type StartTag, type Text } from "parse5-sax-parser";

export interface Edit {
  readonly start: number;
  readonly end: number;
  /** ASCII. */
  readonly text: string;
}

export interface HeadReader {
  /** The page's next part, each byte as one character, so that every offset is a byte's. `done` is called once it was read. */
  read(text: string, done: () => void): void;
  /** The last part. */
  end(text: string, done: () => void): void;
  close(): void;
  /** Offset of the head's end; undefined until it was found. */
  readonly place: number | undefined;
  /** What lies before this offset has been judged. */
  readonly settled: number;
  /** True where what follows `settled` would be text of the page, and not of a `title`, `script` or the like. */
  readonly isOpen: boolean;
  /** Those found since the last call. */
  takeEdits(): readonly Edit[];
}

/** Of a page that is read whole, at a time: others wait for this process meanwhile. */
const PIECE = 16 * 1024;

/** Every start tag of a page, in its order; attributes by their names in lower case. */
export async function readStartTags(
  html: string,
  onTag: (name: string, attributes: Readonly<Record<string, string>>) => void,
): Promise<void> {
  const parser = new SAXParser();
  parser.on("startTag", ({ tagName, attrs }) => {
    onTag(tagName, Object.fromEntries(attrs.map(({ name, value }) => [name, value])));
  });
  parser.resume();
  for (let at = 0; at < html.length; at += PIECE) {
    parser.write(html.slice(at, at + PIECE));
    await breathe();
  }
  parser.end();
  await finished(parser);
}

/** What may stand in a head (HTML Standard §13.2.6.4.4). Anything else ends it. */
const HEAD = new Set(
  "html head base basefont bgsound link meta title style script noscript noframes template".split(" "),
);
const HEAD_ENDS = new Set(["head", "body", "html", "br"]);
/** Their content is text up to their own end tag. */
const RAW = new Set(["title", "style", "script", "noscript", "noframes"]);

/** @param amendPolicy a policy in a `meta` element, as it shall read */
export function createHeadReader(amendPolicy: (policy: string) => string): HeadReader {
  const parser = new SAXParser({ sourceCodeLocationInfo: true });
  let place: number | undefined;
  let settled = 0;
  let edits: Edit[] = [];
  let raw: string | undefined;
  let templates = 0;

  const settle = (offset: number): void => {
    if (place === undefined) settled = Math.max(settled, offset);
  };
  const put = (offset: number): void => {
    place ??= offset;
  };
  const onMeta = ({ attrs, sourceCodeLocation }: StartTag): void => {
    const at = contentOf(sourceCodeLocation);
    const attribute = (name: string) => attrs.find((one) => one.name === name)?.value;
    const policy = attribute("content");
    if (attribute("http-equiv")?.toLowerCase() !== "content-security-policy" || policy === undefined || !at) return;
    const amended = amendPolicy(policy);
    // What is no ASCII is no policy either, and could not be written without knowing the page's encoding.
    if (amended === policy || !/^[\t\n\f\r -~]*$/.test(amended)) return;
    const value = amended.replaceAll("&", "&amp;").replaceAll('"', "&quot;");
    edits.push({ start: at.startOffset, end: at.endOffset, text: `content="${value}"` });
  };

  parser.on("startTag", (tag: StartTag) => {
    const { tagName, sourceCodeLocation: at } = tag;
    if (place !== undefined || !at) return;
    if (templates === 0) {
      if (!HEAD.has(tagName)) return put(at.startOffset);
      if (RAW.has(tagName)) raw = tagName;
      if (tagName === "meta") onMeta(tag);
    }
    if (tagName === "template") templates += 1;
    settle(at.endOffset);
  });
  parser.on("endTag", ({ tagName, sourceCodeLocation: at }: EndTag) => {
    if (place !== undefined || !at) return;
    if (raw === tagName) raw = undefined;
    if (tagName === "template") templates = Math.max(0, templates - 1);
    else if (templates === 0 && HEAD_ENDS.has(tagName)) return put(at.startOffset);
    settle(at.endOffset);
  });
  parser.on("text", ({ text, sourceCodeLocation: at }: Text) => {
    if (place !== undefined || !at) return;
    if (raw === undefined && templates === 0 && /[^\t\n\f\r ]/.test(text)) put(at.startOffset);
    else settle(at.endOffset);
  });
  for (const event of ["comment", "doctype"] as const) {
    parser.on(event, ({ sourceCodeLocation: at }: Text) => at && settle(at.endOffset));
  }

  return {
    read: (text, done) => void parser.write(text, done),
    end: (text, done) => void parser.end(text, done),
    close: () => void parser.destroy(),
    get place() {
      return place;
    },
    get settled() {
      return settled;
    },
    get isOpen() {
      return raw === undefined && templates === 0;
    },
    takeEdits() {
      const taken = edits;
      edits = [];
      return taken;
    },
  };
}

type Location = NonNullable<StartTag["sourceCodeLocation"]>;

/** Where the policy stands; the parser's own types leave out that a tag's location tells its attributes'. */
function contentOf(location: (Location & { readonly attrs?: Readonly<Record<string, Location>> }) | null | undefined) {
  return location?.attrs?.content;
}
