// Two words for the document.

export const at = (id) => document.getElementById(id);

export function made(tag, members = {}, ...children) {
  const element = Object.assign(document.createElement(tag), members);
  element.append(...children);
  return element;
}
