/** How many people the rule finds, who they look like, and what the rule says in words. */
import type { PreviewState } from "./preview";
import type { Texts } from "./texts";

interface Props {
  state: PreviewState;
  isComplete: boolean;
  language: string;
  texts: Texts;
}

function Reachable({ state, language, texts }: Omit<Props, "isComplete">) {
  const preview = state.preview;
  if (!preview || preview.reachable.length === 0) return null;
  const number = new Intl.NumberFormat(language);
  return (
    <section className="lc-card">
      <h3>{texts.reachable}</h3>
      {preview.reachable.map((channel) => (
        <div className="lc-bar" key={channel.label}>
          <span>{channel.label}</span>
          <progress max={Math.max(preview.count, 1)} value={channel.count} />
          <b>{number.format(channel.count)}</b>
        </div>
      ))}
    </section>
  );
}

/** How each condition narrows what the ones before it left. */
function Waterfall({ state, language, texts }: Omit<Props, "isComplete">) {
  const steps = state.preview?.waterfall ?? [];
  if (!state.preview || state.preview.problems.length > 0 || steps.length < 3) return null;
  const number = new Intl.NumberFormat(language);
  const most = Math.max(steps[0]?.left ?? 1, 1);
  return (
    <section className="lc-card lc-waterfall">
      <h3>{texts.waterfall}</h3>
      <ol>
        {steps.map((step, index) => (
          <li key={index}>
            <span title={step.sentence}>{step.sentence}</span>
            <b>{number.format(step.left)}</b>
            <progress max={most} value={step.left} />
            <small>{step.lost > 0 ? `−${number.format(step.lost)}` : ""}</small>
          </li>
        ))}
      </ol>
    </section>
  );
}

function Sample({ state, texts }: Pick<Props, "state" | "texts">) {
  const preview = state.preview;
  if (!preview || preview.problems.length > 0) return null;
  if (preview.count === 0) return <p className="lc-none">{texts.noSample}</p>;
  return (
    <section className="lc-card lc-sample">
      <h3>{texts.sample}</h3>
      <div className="lc-scroll">
        <table>
          <thead>
            <tr>
              {preview.sample.columns.map((column) => (
                <th key={column}>{column}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {preview.sample.rows.map((row, index) => (
              <tr key={index}>
                {row.map((cell, at) => (
                  <td key={at}>{cell}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

export function PreviewPanel(props: Props) {
  const { state, isComplete, language, texts } = props;
  const { preview, status } = state;
  const number = new Intl.NumberFormat(language);
  const share = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 1 });
  const isStale = status === "loading" || !isComplete;
  const isCounted = preview !== null && preview.problems.length === 0;
  return (
    <aside className="lc-preview" aria-live="polite">
      <section className={`lc-card lc-count${isStale ? " lc-stale" : ""}`} data-status={isComplete ? status : "unfinished"}>
        <strong data-testid="live-count">{isCounted ? number.format(preview.count) : "–"}</strong>
        <span>{texts.customersMatch}</span>
        {isCounted && preview.total > 0 && (
          <small>
            {texts.ofAll} {share.format(preview.count / preview.total)} · {preview.seconds.toFixed(2)} {texts.seconds}
          </small>
        )}
        {!isComplete && <p className="lc-hint">{texts.unfinished}</p>}
        {isComplete && status === "loading" && (
          <p className="lc-hint">
            {texts.counting}{" "}
            <button type="button" className="lc-link" onClick={state.stop}>
              {texts.stop}
            </button>
          </p>
        )}
        {isComplete && status === "stopped" && (
          <p className="lc-hint">
            {texts.stopped}{" "}
            <button type="button" className="lc-link" onClick={state.retry}>
              {texts.retry}
            </button>
          </p>
        )}
        {isComplete && status === "failed" && (
          <p className="lc-problem" role="alert">
            {texts.failed}{" "}
            <button type="button" className="lc-link" onClick={state.retry}>
              {texts.retry}
            </button>
          </p>
        )}
        {preview && preview.problems.length > 0 && (
          <div className="lc-problem" role="alert">
            <b>{texts.problems}</b>
            <ul>
              {preview.problems.map((problem) => (
                <li key={problem.path + problem.message}>{problem.told}</li>
              ))}
            </ul>
          </div>
        )}
      </section>
      {isCounted && preview.words && (
        <section className="lc-card">
          <h3>{texts.inWords}</h3>
          <p className="lc-words" data-testid="rule-words">
            {preview.words}
          </p>
        </section>
      )}
      <Waterfall state={state} language={language} texts={texts} />
      <Reachable state={state} language={language} texts={texts} />
      <Sample state={state} texts={texts} />
    </aside>
  );
}
