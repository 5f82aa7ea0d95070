/** The folder of a program's virtual environment. */
export function pythonFolder(name: string): string;
