// Builds every browser file of the admin into loancrm/static/loancrm, or the folder given; the result is committed,
// so users need no Node.
import { build } from "esbuild";
import { copyFile, mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

const here = path.dirname(fileURLToPath(import.meta.url));
const target = process.argv[2] ?? path.join(here, "..", "loancrm", "static", "loancrm");
const echarts = path.join(here, "node_modules", "echarts");

await mkdir(path.join(target, "vendor", "echarts"), { recursive: true });
const { metafile } = await build({
  entryPoints: {
    rule_builder: path.join(here, "src/rule_builder/index.tsx"),
    charts: path.join(here, "src/charts.ts"),
    campaign: path.join(here, "src/campaign.ts"),
    composer: path.join(here, "src/composer/index.ts"),
    awaited: path.join(here, "src/awaited.ts"),
    focus: path.join(here, "src/focus.ts"),
    session: path.join(here, "src/session.ts"),
    admin: path.join(here, "src/styles/admin.css"),
  },
  outdir: target,
  bundle: true,
  minify: true,
  format: "iife",
  target: ["es2020", "chrome100", "firefox100", "safari15"],
  define: { "process.env.NODE_ENV": '"production"' },
  legalComments: "eof",
  charset: "utf8",
  logLevel: "info",
  metafile: true,
});
for (const [source, name] of [
  ["dist/echarts.min.js", "echarts.min.js"],
  ["LICENSE", "LICENSE"],
  ["NOTICE", "NOTICE"],
]) {
  await copyFile(path.join(echarts, source), path.join(target, "vendor", "echarts", name));
}

// The licence texts of everything inside the bundles go with them.
const packages = new Set(
  Object.keys(metafile.inputs)
    .map((input) => input.match(/node_modules\/((?:@[^/]+\/)?[^/]+)\//)?.[1])
    .filter(Boolean),
);
const notices = [];
for (const name of [...packages].sort()) {
  const folder = path.join(here, "node_modules", name);
  const { version, license } = JSON.parse(await readFile(path.join(folder, "package.json"), "utf8"));
  const file = (await readdir(folder)).find((entry) => /^licen[cs]e/i.test(entry));
  const text = file ? await readFile(path.join(folder, file), "utf8") : `Licence: ${license}\n`;
  notices.push(`${name} ${version}\n\n${text.trim()}\n`);
}
await writeFile(path.join(target, "vendor", "LICENSES.txt"), notices.join("\n----\n\n"));
