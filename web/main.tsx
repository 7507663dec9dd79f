/** Where the page begins. */
import { render } from 'preact'
import { App } from './app.tsx'
import { connect } from './data/connect.ts'
import { StoreContext } from './data/hooks.ts'
import { Store } from './data/store.ts'

const store = new Store(Date.now())
connect(store)
render(
  <StoreContext.Provider value={store}>
    <App />
  </StoreContext.Provider>,
  document.getElementById('page')!,
)
