/** Where actionlint is. */
export function actionlintPath(): string;
/** Where zizmor is. */
export function zizmorPath(): string;
