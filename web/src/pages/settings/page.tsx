import { Page } from '../../ui/page.tsx';
import { Doctor } from './doctor.tsx';
import { Messages } from './messages.tsx';
import { People } from './people.tsx';
import { Secrets } from './secrets.tsx';
import { Gateways, ThisServer } from './server.tsx';
import classes from './settings.module.css';
import { StorageUsed } from './storage.tsx';
import { Tokens } from './tokens.tsx';

/** Where things are, how much of it, who may do what, where messages go, and whether all is well. */
export default function SettingsPage() {
  return (
    <Page title="Settings">
      <div className={classes['pairs']}>
        <ThisServer />
        <Doctor />
        <StorageUsed />
        <Gateways />
        <Messages />
        <Secrets />
        <People />
        <Tokens />
      </div>
    </Page>
  );
}
