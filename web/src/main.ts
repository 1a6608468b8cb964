import { mount } from "svelte";
import App from "./App.svelte";
import "./app.css";
import { browserPage } from "./lib/browser";

const target = document.getElementById("page");
if (target === null) throw new Error("index.html holds no #page");

mount(App, { target, props: { page: browserPage() } });
