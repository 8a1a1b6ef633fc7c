"""Small tools that know no network: whole files, parallel runs, memory, the slider. Imports no other room."""
