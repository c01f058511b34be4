/** Starts the page. */
import { render } from 'preact';
import { App } from './app.tsx';
import './styles/base.css';
import './styles/layout.css';
import './styles/phone.css';
import './styles/sent.css';
import './styles/fields.css';
import './styles/inspector.css';
import './styles/inbox.css';

const page = document.getElementById('page');
if (page) render(<App />, page);
