/** VitePress' own theme; what differs is in the style sheet. */
import theme from "vitepress/theme";
import "./style.css";

export default theme;
