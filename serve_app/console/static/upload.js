// Dropping a file, and the progress of its upload. Without this module the form works as it is.
const form = document.getElementById("upload");
const drop = document.getElementById("drop");
const input = document.getElementById("file");
const bar = document.getElementById("bar");
const said = document.getElementById("said");
const sending = document.getElementById("sending");
const send = document.getElementById("send");
const fault = document.getElementById("fault");
const most = Number(form.dataset.most);

function complain(text) {
  const box = document.createElement("div");
  box.className = "fault";
  box.textContent = text;
  fault.replaceChildren(box);
}

function written(bytes) {
  const units = ["bytes", "KiB", "MiB", "GiB"];
  let unit = 0;
  for (; bytes >= 1024 && unit < 3; unit += 1) bytes /= 1024;
  return `${bytes.toFixed(unit ? 1 : 0)} ${units[unit]}`;
}

for (const name of ["dragenter", "dragover"]) {
  drop.addEventListener(name, (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
}
for (const name of ["dragleave", "drop"]) {
  drop.addEventListener(name, () => drop.classList.remove("over"));
}
// A file that misses the field must not replace the page.
for (const name of ["dragover", "drop"]) {
  window.addEventListener(name, (event) => event.preventDefault());
}
drop.addEventListener("drop", (event) => {
  const files = event.dataTransfer?.files;
  if (!files?.length) return;
  if (files.length > 1) {
    complain("One file at a time, please.");
    return;
  }
  input.files = files;
  input.dispatchEvent(new Event("change"));
  send.focus();
});

input.addEventListener("change", () => {
  fault.replaceChildren();
  const file = input.files[0];
  if (file && file.size > most) {
    complain(`The file has ${written(file.size)}; at most ${written(most)} are taken.`);
    input.value = "";
  }
});

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const request = new XMLHttpRequest();
  const stop = () => request.abort();
  const ended = (text) => {
    sending.hidden = true;
    send.disabled = false;
    document.getElementById("stop").removeEventListener("click", stop);
    if (text) complain(text);
  };
  document.getElementById("stop").addEventListener("click", stop);
  request.upload.addEventListener("progress", ({ loaded, total }) => {
    bar.value = loaded / total;
    said.textContent = loaded < total ? `${written(loaded)} of ${written(total)}` : "Matching …";
    if (loaded === total) bar.removeAttribute("value");
  });
  request.addEventListener("abort", () => ended("The upload was stopped. Nothing was kept."));
  request.addEventListener("error", () => ended("The server cannot be reached. Try again."));
  request.addEventListener("load", () => {
    if (request.status === 200) {
      // It was sent on to the page of the job.
      window.location.assign(request.responseURL);
      return;
    }
    ended("");
    show(request);
  });
  fault.replaceChildren();
  bar.value = 0;
  said.textContent = "";
  sending.hidden = false;
  send.disabled = true;
  request.open("POST", form.action);
  request.responseType = "document";
  request.send(new FormData(form));
});

// What went wrong, as the page for it says; the choices of the form stay as they are.
function show(request) {
  const page = request.response;
  const told = page?.querySelector("#fault .fault") ?? page?.querySelector("[data-problem] .lead");
  if (request.status === 401) {
    window.location.reload();
  } else if (told) {
    complain("");
    fault.firstChild.replaceChildren(...told.childNodes);
  } else if (page?.querySelector("main")) {
    document.querySelector("main").replaceWith(page.querySelector("main"));
  } else {
    complain("The file was not taken. Try again.");
  }
  fault.scrollIntoView({ block: "center" });
}
