/** Takes the place of a module that nothing here needs, so that it is not uploaded. Loading it is a mistake in `lib/bundle/bundle.ts`. */
throw new Error('the function was built without this module');

export {};
