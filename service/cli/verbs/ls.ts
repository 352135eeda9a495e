import type { PreviewView } from "../../api/preview-view.ts";
import { askerWords } from "../../asker.ts";
import { minuteOf } from "../../reason-words.ts";
import type { Pause } from "../../store/operation.ts";
import { connect } from "../context.ts";
import { age, conditionOf, plain, printJson, printLine, table } from "../output.ts";
import type { RunVerb } from "../verb.ts";

export const ls: RunVerb = async ({ options, context }) => {
  const client = await connect(options, context);
  const [previews, pause] = await Promise.all([client.list({ gone: options.gone === true }), client.pause()]);
  if (options.json) {
    for (const preview of previews) printJson(context.stdout, { ...preview, pause });
    return 0;
  }
  if (pause) printLine(context.stdout, pauseLine(pause));
  if (previews.length === 0) {
    printLine(context.stdout, 'there are no previews; open a pull request, or try "stackling up PATH"');
    return 0;
  }
  const now = new Date();
  const columns = [
    { title: "KEY", value: (preview: PreviewView) => preview.key },
    { title: "STAGE", value: (preview: PreviewView) => preview.stage },
    { title: "CONDITION", value: conditionOf },
    { title: "AGE", value: (preview: PreviewView) => age(preview.createdAt, now) },
    { title: "LINK", value: (preview: PreviewView) => preview.url ?? "" },
    { title: "TITLE", value: (preview: PreviewView) => preview.title ?? preview.gitBranch, shrinks: true },
  ];
  printLine(context.stdout, table(previews, columns, context));
  return 0;
};

function pauseLine({ at, by }: Pause): string {
  return plain(`everything is stopped since ${minuteOf(at)}, ${askerWords(by)}; "stackling resume-all" lets it go on`);
}
