for (const gallery of document.querySelectorAll(".gallery")) {
  const form = gallery.querySelector("form"), rows = [...gallery.querySelectorAll("tbody tr")];
  const values = (row, name) => JSON.parse(row.dataset[name]);
  const choose = () => {
    for (const row of rows)
      row.hidden = [...form.querySelectorAll("select")].some(it => it.value && !values(row, it.name).includes(it.value));
    form.querySelector("output").textContent = `${rows.filter(row => !row.hidden).length} of ${rows.length}`;
  };
  for (const select of form.querySelectorAll("select")) {
    const all = new Set(rows.flatMap(row => values(row, select.name)));
    select.append(new Option("all", ""), ...[...all].sort().map(value => new Option(value, value)));
    select.addEventListener("change", choose);
  }
  for (const button of gallery.querySelectorAll("button")) {
    const code = button.parentElement.querySelector("code");
    button.hidden = false;
    button.addEventListener("click", () => {
      getSelection().selectAllChildren(code);
      document.execCommand("copy");
      button.textContent = "copied";
      setTimeout(() => { button.textContent = "copy"; }, 1500);
    });
  }
  form.hidden = false;
  choose();
}
