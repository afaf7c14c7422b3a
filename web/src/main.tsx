import { createRoot } from 'react-dom/client';
import { Api } from './api/client';
import { App } from './app/App';
import { browserServices } from './app/services';
import { startI18n } from './i18n';

startI18n();
const root = document.getElementById('root');
if (root === null) throw new Error('index.html has #root');
createRoot(root).render(<App services={browserServices(new Api())} />);
